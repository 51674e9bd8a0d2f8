import { createContext, useContext } from 'react';
import { connect, type Schemas } from '../api/client';
import { memory } from '../api/memory';

/** The operations that belong to no store. */
export const platform = connect();

/** What is known beside all stores: who is signed in. */
export const platformMemory = memory();

export const SessionContext = createContext<Schemas['Session'] | null>(null);

/** Who is signed in. */
export function useSession(): Schemas['Session'] {
  const session = useContext(SessionContext);
  if (!session) throw new Error('nobody is signed in here');
  return session;
}
