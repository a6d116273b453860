// y-websocket's own server, without persistence, its documents begun with a text.
const http = require("node:http");
const { WebSocketServer } = require("ws");
const { getYDoc, setupWSConnection } = require("y-websocket/bin/utils");
const Y = require("yjs");
const { seed } = require("./yjs-seed.cjs");

const update = seed();
for (let i = 0; i < Number(process.env.DOCUMENTS); i += 1) Y.applyUpdate(getYDoc(`d${i}`), update);
const sockets = new WebSocketServer({ noServer: true });
sockets.on("connection", setupWSConnection);
const server = http.createServer((_request, response) => response.end("okay"));
server.on("upgrade", (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (open) => sockets.emit("connection", open, request));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
