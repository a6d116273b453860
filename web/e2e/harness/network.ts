// A network between browser and server: a proxy of the old kind, which does to WebSockets and streams what some do.
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Network {
  readonly url: string;
  /** What becomes of `Upgrade`: it is passed on, answered with 400 as by a proxy that strips it, or never answered. */
  upgrades: 'pass' | 'refuse' | 'hang';
  /** Whether streams are passed on as they come, or kept back until they end. */
  streams: 'pass' | 'hold';
  /** What has been carried so far. */
  readonly carried: { sockets: number; streams: number; polls: number; messages: number };
  /** Breaks every WebSocket, in the middle of whatever it says. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a server. */
export async function startNetwork(target: string): Promise<Network> {
  const { hostname, port } = new URL(target);
  const upgraded = new Set<Duplex>();
  const server = createServer((incoming, outgoing) => pass(incoming, outgoing));
  const carried = { sockets: 0, streams: 0, polls: 0, messages: 0 };

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const address = incoming.url ?? '/';
    if (address.startsWith('/api/session/messages')) carried.messages += 1;
    const onward = request({ hostname, port, path: address, method: incoming.method, headers: incoming.headers }, (answer) => {
      const isStream = answer.headers['content-type'] === 'text/event-stream';
      if (isStream) carried.streams += 1;
      else if (address.startsWith('/api/session/events')) carried.polls += 1;
      const forward = (body?: Buffer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        if (body) outgoing.end(body);
        else answer.pipe(outgoing);
      };
      if (!isStream || network.streams === 'pass') {
        forward();
        outgoing.flushHeaders();
        return;
      }
      const held: Buffer[] = [];
      answer.on('data', (piece: Buffer) => held.push(piece));
      answer.on('end', () => forward(Buffer.concat(held)));
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }

  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket)).on('error', () => socket.destroy());
    if (network.upgrades === 'hang') return;
    if (network.upgrades === 'refuse') {
      socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    carried.sockets += 1;
    const onward: Socket = connect(Number(port), hostname, () => {
      const headers = incoming.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1] ?? ''}`] : []));
      onward.write(`GET ${incoming.url ?? '/'} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const network: Network = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upgrades: 'pass',
    streams: 'pass',
    carried,
    cut: () => {
      for (const socket of upgraded) socket.destroy();
    },
    close: async () => {
      for (const socket of upgraded) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return network;
}
