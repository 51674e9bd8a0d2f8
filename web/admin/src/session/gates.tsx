import { Center, Loader, Modal, Stack, Text } from '@mantine/core';
import { QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useMemo, useState } from 'react';
import { Navigate, Outlet, useLocation, useParams } from 'react-router';
import { connect, whenSignedOut, type Schemas } from '../api/client';
import { memory } from '../api/memory';
import { problemOf } from '../api/problem';
import { Forbidden, Missing, Trouble } from '../page/trouble';
import { Shell } from '../shell/shell';
import { SessionContext, platform, useSession } from './session';
import { StoreContext, allows, readLabel } from './store';
import { useSessionWords } from './words';

const SignIn = lazy(() => import('./signin').then((module) => ({ default: module.SignIn })));

/** Lets in who is signed in. Where a session ends meanwhile, it asks for the password over what is there, so that nothing is lost. */
export function SessionGate() {
  const w = useSessionWords();
  const client = useQueryClient();
  const location = useLocation();
  const session = platform.query.useQuery('get', '/v1/session', {}, { staleTime: Number.POSITIVE_INFINITY });
  const [ended, setEnded] = useState(false);
  useEffect(() => whenSignedOut(() => setEnded(true)), []);
  if (session.isPending) return <Waiting />;
  if (!session.data) {
    if (problemOf(session.error).status === 401) return <Navigate to={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`} replace />;
    return <Trouble error={session.error} retry={session.refetch} />;
  }
  const signedIn = (next: Schemas['Session']) => {
    client.setQueryData(platform.query.queryOptions('get', '/v1/session', {}).queryKey, next);
    setEnded(false);
  };
  return (
    <SessionContext value={session.data}>
      <Outlet />
      <Modal opened={ended} onClose={() => undefined} withCloseButton={false} title={w.again.title}>
        <Stack>
          <Text size="sm" c="dimmed">
            {w.again.text}
          </Text>
          <Suspense>
            <SignIn email={session.data.account.email} done={signedIn} />
          </Suspense>
        </Stack>
      </Modal>
    </SessionContext>
  );
}

/** Opens one side of one store, which the address names. What was loaded of another is forgotten. */
export function StoreGate() {
  const { store: label = '' } = useParams();
  const { address, mode } = readLabel(label);
  const membership = useSession().stores.find((store) => store.address === address);
  if (!membership) return <Missing />;
  if (!allows(membership.permissions, 'store:read')) return <Forbidden permission="store:read" />;
  return <Remembered key={label} label={label} membership={membership} mode={mode} />;
}

type SideProps = { label: string; membership: Schemas['AccountStore']; mode: Schemas['Mode'] };

function Remembered(side: SideProps) {
  const [client] = useState(memory);
  return (
    <QueryClientProvider client={client}>
      <Side {...side} />
    </QueryClientProvider>
  );
}

function Side({ label, membership, mode }: SideProps) {
  const connection = useMemo(() => connect({ id: membership.store_id, mode }), [membership.store_id, mode]);
  const settings = connection.query.useQuery('get', '/v1/store', {});
  const side = useMemo(
    () =>
      settings.data && {
        ...connection,
        id: membership.store_id,
        name: settings.data.name,
        mode,
        label,
        to: (path: string) => `/${label}${path && `/${path}`}`,
        role: membership.role,
        can: (permission: string) => allows(membership.permissions, permission),
        settings: settings.data,
      },
    [connection, settings.data, membership, mode, label],
  );
  if (settings.isPending) return <Waiting />;
  if (!side) return <Trouble error={settings.error} retry={settings.refetch} />;
  return (
    <StoreContext value={side}>
      <Shell>
        <Outlet />
      </Shell>
    </StoreContext>
  );
}

export function Waiting() {
  return (
    <Center mih="100dvh">
      <Loader aria-label="…" />
    </Center>
  );
}
