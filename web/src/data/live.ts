// The live half of a document, as the public package gives it: components take hooks and types from here.
export type { ConnectionState, DocumentStatus, Person, RejectedEdit } from '@concord/client';
export { useConnection, useDocument, usePresence } from '@concord/client/react';
export { type ChatLine, type ChatPerson, mentionsIn, partsOf, type Reference, referenceOf } from '@concord/client/chat';
export { type Chat, useChat } from '@concord/client/chat/react';
export { type DocumentFigures, type FiguresOf, type FiguresView, type SecondFigures, useFigures } from '@concord/client/figures/react';
export type { Notification } from '@concord/client/notifications';
export { type Notifications, useNotifications } from '@concord/client/notifications/react';
