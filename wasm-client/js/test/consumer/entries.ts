// Checked on its own with the package's declarations checked too.
import { bindTextarea, createClient, type Binding, type ConcordClient, type DocumentSession } from '@concord/client';
import { openChat, type ChatView, type OpenChat } from '@concord/client/chat';
import { useChat, type Chat } from '@concord/client/chat/react';
import { openNotifications, type NotificationsView, type OpenNotifications } from '@concord/client/notifications';
import { useNotifications, type Notifications } from '@concord/client/notifications/react';
import { useDocument, type DocumentView } from '@concord/client/react';
import { createRecorder, type Recorder } from '@concord/client/report';
import { createServerClient, mintToken, type ServerClient } from '@concord/client/server';
import { watchFigures, type WatchedFigures } from '@concord/client/figures';
import { useFigures, type FiguresView } from '@concord/client/figures/react';
import { registerServiceWorker } from '@concord/client/service-worker';
import { topic, type Topic } from '@concord/client/topics';
import { useTopic, type TopicView } from '@concord/client/topics/react';
import { buildServiceWorker, type ServiceWorkerBuild } from '@concord/client/sw';

export const client: ConcordClient = createClient({ url: 'https://docs.example.com' });
export const recorder: Recorder = createRecorder({ eventsMax: 100 });
export const watched: ConcordClient = createClient(recorder.watch({ url: 'https://docs.example.com' }));
export const session: DocumentSession = client.open('00112233445566778899aabbccddeeff');
export const bind = (element: HTMLTextAreaElement): Binding => bindTextarea(element, session);
export const hook: (id: string) => DocumentView = useDocument;
export const chat: OpenChat = openChat(client, '00112233445566778899aabbccddeeff');
export const view: ChatView = chat.session.view;
export const chatHook: (id: string) => Chat = useChat;
export const told: OpenNotifications = openNotifications(client);
export const toldView: NotificationsView = told.session.view;
export const bell: () => Notifications = useNotifications;
export const load = (): Topic<number> => topic<number>(client, 'load');
export const shown = (): TopicView<number> => useTopic<number>('load');
export const backend: ServerClient = createServerClient({ url: 'https://docs.example.com', serviceToken: 'token' });
export const token: Promise<string> = mintToken({ secret: 's'.repeat(32), issuer: 'i', audience: 'a', user: 'ada' });
export const figures = (): WatchedFigures => watchFigures(client, 'own');
export const seen = (): FiguresView => useFigures();
export const worker: Promise<ServiceWorkerRegistration | null> = registerServiceWorker();
export const built: Promise<ServiceWorkerBuild> = buildServiceWorker('out');
// @ts-expect-error an id is text
client.open(7);
