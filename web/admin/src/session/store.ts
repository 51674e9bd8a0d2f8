import { createContext, useContext } from 'react';
import type { Connection, Schemas } from '../api/client';

/** One side of a store, as whoever is signed in sees it. */
export type StoreSide = Connection & {
  id: string;
  name: string;
  mode: Schemas['Mode'];
  /** The first label of its shop's host and the first part of its addresses here: a sandbox's ends --test. */
  label: string;
  /** An address of the back office within this store. */
  to: (path: string) => string;
  role: Schemas['AccountStore']['role'];
  can: (permission: Permission) => boolean;
  settings: Schemas['Store'];
};

export type Permission = Schemas['Permission'];

export const StoreContext = createContext<StoreSide | null>(null);

export function useStore(): StoreSide {
  const store = useContext(StoreContext);
  if (!store) throw new Error('there is no store here');
  return store;
}

const sandbox = '--test';

/** The store and side that a label stands for. */
export function readLabel(label: string): { address: string; mode: Schemas['Mode'] } {
  return label.endsWith(sandbox) ? { address: label.slice(0, -sandbox.length), mode: 'test' } : { address: label, mode: 'live' };
}

export function labelOf(address: string, mode: Schemas['Mode']): string {
  return mode === 'test' ? address + sandbox : address;
}

/** Whether one who has these permissions may do this; to write implies to read. */
export function allows(held: readonly string[], wanted: string): boolean {
  return held.includes(wanted) || (wanted.endsWith(':read') && held.includes(wanted.replace(/read$/, 'write')));
}
