// A bare relay: every message to everybody in the room, the sender included. No text, no storage.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });
server.on("connection", (socket, request) => {
  const name = request.url;
  const room = rooms.get(name) ?? rooms.set(name, new Set()).get(name);
  room.add(socket);
  socket.on("close", () => room.delete(socket));
  socket.on("message", (data, isBinary) => {
    for (const other of room) other.send(data, { binary: isBinary });
  });
});
