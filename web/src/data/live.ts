// The live half of a document, as the public package gives it. Components take their types from here.
export * from './fake-live';
