import { Button, Group, Modal, Paper, Text, Transition } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useEffect } from 'react';
import { useBlocker } from 'react-router';
import { useWords } from '../words/everywhere';
import classes from './form.module.css';

type Bar = { dirty: boolean; saving: boolean; discard: () => void };

/**
 * What a form says as soon as something in it has changed: that it is not saved, and how it
 * is. It belongs within the form. Nobody leaves by accident.
 */
export function SaveBar({ dirty, saving, discard }: Bar) {
  const w = useWords();
  useHotkeys([['mod+S', () => document.querySelector<HTMLButtonElement>(`.${classes.save}`)?.click()]], [], true);
  return (
    <>
      <Leaving guarded={dirty && !saving} discard={discard} />
      <Transition mounted={dirty} transition="slide-up" duration={150}>
        {(style) => (
          <Paper className={classes.bar} style={style} shadow="lg" radius="lg" role="region" aria-label={w.unsaved}>
            <Text size="sm" fw={600} flex={1}>
              {w.unsaved}
            </Text>
            <Group gap="xs" wrap="nowrap">
              <Button variant="subtle" color="gray" onClick={discard} disabled={saving}>
                {w.discard}
              </Button>
              <Button type="submit" className={classes.save} loading={saving}>
                {w.save}
              </Button>
            </Group>
          </Paper>
        )}
      </Transition>
    </>
  );
}

/** Asks whoever is about to leave something that is not saved. */
export function Leaving({ guarded, discard }: { guarded: boolean; discard?: () => void }) {
  const w = useWords();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => guarded && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    if (!guarded) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [guarded]);
  const leave = () => {
    discard?.();
    blocker.proceed?.();
  };
  return (
    <Modal opened={blocker.state === 'blocked'} onClose={() => blocker.reset?.()} title={w.leave.title}>
      <Text size="sm">{w.leave.text}</Text>
      <Group justify="end" mt="lg">
        <Button variant="default" data-autofocus onClick={() => blocker.reset?.()}>
          {w.leave.stay}
        </Button>
        <Button color="red" onClick={leave}>
          {w.leave.go}
        </Button>
      </Group>
    </Modal>
  );
}

/** How a form in a dialog ends: without it, or with what it is for. */
export function Ending({ go, pending, close }: { go: string; pending: boolean; close: () => void }) {
  const w = useWords();
  return (
    <Group justify="end" className={classes.ending}>
      <Button variant="default" onClick={close}>
        {w.cancel}
      </Button>
      <Button type="submit" loading={pending}>
        {go}
      </Button>
    </Group>
  );
}
