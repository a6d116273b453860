// ShareDB with the type for plain text, in memory or, where DATABASE_URL is set, on PostgreSQL.
import { Duplex } from "node:stream";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { WebSocketServer } from "ws";

const require = createRequire(import.meta.url);
const ShareDB = require("sharedb");
const text = require("ot-text");

ShareDB.types.register(text.type);

async function database(url) {
  const pg = require("pg");
  const setUp = new pg.Client({ connectionString: url });
  await setUp.connect();
  const schema = require.resolve("sharedb-postgres/structure.sql");
  await setUp.query("drop table if exists ops; drop table if exists snapshots");
  await setUp.query(readFileSync(schema, "utf8"));
  await setUp.end();
  return require("sharedb-postgres")({ connectionString: url });
}

// A WebSocket as the stream of objects that ShareDB listens to.
function stream(socket) {
  const duplex = new Duplex({
    objectMode: true,
    read() {},
    write(message, _encoding, done) {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
      done();
    },
  });
  socket.on("message", (data) => duplex.push(JSON.parse(data)));
  socket.on("close", () => {
    duplex.push(null);
    duplex.end();
    duplex.emit("close");
  });
  duplex.on("error", () => socket.terminate());
  return duplex;
}

const url = process.env.DATABASE_URL;
const backend = new ShareDB(url ? { db: await database(url) } : {});
const connection = backend.connect();
const begin = "x".repeat(Number(process.env.TEXT_LEN));
for (let i = 0; i < Number(process.env.DOCUMENTS); i += 1) {
  await new Promise((resolve, reject) => {
    const answer = (error) => (error ? reject(error) : resolve());
    connection.get("docs", `d${i}`).create(begin, text.type.uri, answer);
  });
}
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });
server.on("connection", (socket) => backend.listen(stream(socket)));
