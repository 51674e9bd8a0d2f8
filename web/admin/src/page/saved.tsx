import { ActionIcon, Button, Group, Menu, Modal, Text, TextInput } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { usePartWords } from './words';

type Saved = { name: string; search: string };

const most = 20;

/**
 * The views of a list that somebody has saved in this browser: names of filters, and nothing
 * that was searched for, which may be about a person.
 */
export function SavedViews({ list, filters }: { list: string; filters: string[] }) {
  const w = useWords();
  const { views: saves } = usePartWords();
  const { id, mode } = useStore();
  const [search, setSearch] = useSearchParams();
  const [saved, setSaved] = useLocalStorage<Saved[]>({ key: `stoa.views.${id}.${mode}.${list}`, defaultValue: [], getInitialValueInEffect: false });
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const now = new URLSearchParams(filters.flatMap((filter) => (search.get(filter) ? [[filter, search.get(filter) ?? '']] : []))).toString();
  const shown = saved.find((view) => view.search === now);
  const close = () => {
    setNaming(false);
    setName('');
  };
  if (saved.length === 0 && now === '') return null;
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={16} aria-hidden />}>
            {shown ? shown.name : saves.saved}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {saved.length === 0 && (
            <Text size="sm" c="dimmed" p="xs">
              {saves.text}
            </Text>
          )}
          {saved.map((view) => (
            <Group key={view.search} gap={0} wrap="nowrap">
              <Menu.Item fw={view === shown ? 600 : undefined} onClick={() => setSearch(view.search, { replace: true })}>
                {view.name}
              </Menu.Item>
              <ActionIcon aria-label={saves.remove(view.name)} onClick={() => setSaved(saved.filter((other) => other !== view))}>
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          ))}
          {now !== '' && !shown && saved.length < most && (
            <>
              <Menu.Divider />
              <Menu.Item onClick={() => setNaming(true)}>{saves.save}</Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={close} title={saves.save}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setSaved([...saved, { name: name.trim(), search: now }]);
            close();
          }}
        >
          <TextInput label={saves.name} required maxLength={60} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Group justify="end" mt="lg">
            <Button variant="default" onClick={close}>
              {w.cancel}
            </Button>
            <Button type="submit" disabled={!name.trim()}>
              {w.save}
            </Button>
          </Group>
        </form>
      </Modal>
    </>
  );
}
