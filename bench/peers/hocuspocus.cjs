// Hocuspocus without storage: what it acknowledges is in memory, as it is for seconds with storage too.
const { Server } = require("@hocuspocus/server");
const Y = require("yjs");
const { seed } = require("./yjs-seed.cjs");

const update = seed();
const server = new Server({
  address: "127.0.0.1",
  port: Number(process.env.PORT),
  quiet: true,
  async onLoadDocument({ document }) {
    Y.applyUpdate(document, update);
    return document;
  },
});
server.listen();
