/** Frames as a client sends them. */

export interface SentSubmit { seq: number; rev: number; op: (number | string)[]; ranges?: [number, number][] }
export const parse = (frame: string): SentSubmit => JSON.parse(frame) as SentSubmit;
/** A submit frame without the channel, which is new on each connection. */
export const body = (frame: string): string => frame.replace(/"ch":\d+,/, '');
