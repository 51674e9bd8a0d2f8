import { Button, Stack, Text } from '@mantine/core';
import { IconCloudOff, IconLock, IconMapQuestion } from '@tabler/icons-react';
import { useRouteError } from 'react-router';
import { problemOf } from '../api/problem';
import { useWords } from '../words/everywhere';
import { Empty } from './empty';

/** What stands where something could not be loaded. */
export function Trouble({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const w = useWords();
  const problem = problemOf(error);
  if (problem.status === 404) return <Missing />;
  if (problem.code === 'missing_permission') return <Forbidden permission={problem.required_permission ?? ''} />;
  return (
    <div role="alert">
      <Empty
        icon={IconCloudOff}
        title={w.trouble.title}
        text={problem.status === 0 ? w.trouble.offline : (problem.detail ?? problem.title)}
        action={
          <Stack align="center" gap="xs">
            {retry && (
              <Button variant="default" onClick={() => void retry()}>
                {w.again}
              </Button>
            )}
            {problem.request_id && (
              <Text size="xs" c="dimmed" ff="monospace">
                {w.trouble.reference(problem.request_id)}
              </Text>
            )}
          </Stack>
        }
      />
    </div>
  );
}

/** There is nothing at this address. */
export function Missing() {
  const w = useWords();
  return <Empty alone icon={IconMapQuestion} title={w.trouble.missing} text={w.trouble.missingText} />;
}

/** There is something, and it is not for this person. */
export function Forbidden({ permission }: { permission: string }) {
  const w = useWords();
  return <Empty alone icon={IconLock} title={w.trouble.forbidden} text={w.trouble.forbiddenText(permission)} />;
}

/** A screen that failed: most likely the program has a newer version, and a part of this one is gone. What it was is told to who asks for help. */
export function Broken() {
  const w = useWords();
  const error = useRouteError();
  return (
    <Empty
      alone
      icon={IconCloudOff}
      title={w.trouble.title}
      action={
        <Stack align="center" gap="xs">
          <Button onClick={() => window.location.reload()}>{w.trouble.reload}</Button>
          <Text size="xs" c="dimmed" ff="monospace">
            {String(error)}
          </Text>
        </Stack>
      }
    />
  );
}
