import type { Notification } from '../protocol.js';

/** A person's notifications as this page knows them; a new object after every change. */
export interface NotificationsView {
  /** `ready` once the first page is there. */
  phase: 'loading' | 'ready';
  /** Nothing is known to be missing, and what happens is heard as it happens. */
  live: boolean;
  /** Latest first. What is marked as read here is read, also before the server knows. */
  list: readonly Notification[];
  /** How many are unread, listed here or not. */
  unread: number;
  /** There are earlier ones: `loadMore()`. */
  hasMore: boolean;
  loadingMore: boolean;
}
