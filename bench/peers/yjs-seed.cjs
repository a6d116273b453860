// The text that every document begins with: one insertion by client 1, at the root type "t".
const Y = require("yjs");

exports.seed = () => {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.getText("t").insert(0, "x".repeat(Number(process.env.TEXT_LEN)));
  return Y.encodeStateAsUpdate(doc);
};
