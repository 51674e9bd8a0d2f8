import { ActionIcon, Alert, Badge, Box, Button, Center, Group, Loader, Menu, SegmentedControl, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconAlertTriangle, IconArrowBackUp, IconArrowForwardUp, IconArrowLeft, IconDeviceDesktop, IconDeviceMobile, IconDots, IconExternalLink, IconMoon, IconSun, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { Leaving } from '../../page/form';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useDraft } from './draft';
import classes from './editor.module.css';
import { Look } from './look';
import { type Device, Preview, type PreviewHandle, type Scheme, usePreviewLink } from './preview';
import { SectionFields } from './section';
import { Sections } from './sections';
import { useThemeWords } from './words';

/** Where the shop is designed: what can be set on one side, and the shop as it becomes on the other. */
export default function ThemeEditor() {
  const { api } = useStore();
  const theme = useQuery({ queryKey: ['theme'], queryFn: () => answered(api.GET('/v1/theme')) });
  if (theme.isLoadingError) return <Trouble error={theme.error} retry={theme.refetch} />;
  if (theme.data) return <Present theme={theme.data} />;
  return (
    <Center mih="100dvh">
      <Loader />
    </Center>
  );
}

function Present({ theme }: { theme: Answer<Schemas['Theme']> }) {
  const w = useThemeWords();
  const everywhere = useWords();
  const { api, can, to, name, mode } = useStore();
  const client = useQueryClient();
  const filters = useFilters('part', 'section');
  const { part, section } = filters.values;
  const [device, setDevice] = useState<Device>('desktop');
  const [scheme, setScheme] = useState<Scheme>('light');
  const [looking, setLooking] = useState(false);
  const preview = useRef<PreviewHandle>(null);
  const url = usePreviewLink();
  const draft = useDraft(theme);
  const { design } = draft;
  const opened = design.home.find(({ id }) => id === section);
  const writes = can('content:write');

  // What the server has after a publication or a discarded draft is what is designed on.
  const done = (answer: Answer<Schemas['Theme']>) => {
    client.setQueryData(['theme'], answer);
  };
  const header = () => ({ 'If-Match': draft.version, 'Idempotency-Key': idempotencyKey() });
  const publish = useWrite({ write: () => answered(api.POST('/v1/theme/publish', { params: { header: header() } })), said: w.published, undoable: true, done });
  const discard = useWrite({ write: () => answered(api.POST('/v1/theme/discard', { params: { header: header() } })), said: w.discarded, undoable: true, done });

  // Whatever changed the design, here or elsewhere, the preview shows; a new section as soon as it is there.
  const { version } = theme;
  const added = useRef<string>(undefined);
  useEffect(() => {
    if (version === undefined) return;
    preview.current?.renew(added.current);
    added.current = undefined;
  }, [version]);
  const open = (id: string) => {
    filters.set({ part: '', section: id });
    const section = design.home.find((each) => each.id === id);
    if (!section) added.current = id;
    else if (!section.hidden) preview.current?.show(id);
  };
  useHotkeys([
    ['mod+Z', () => draft.undo?.()],
    ['mod+shift+Z', () => draft.redo?.()],
    ['mod+Y', () => draft.redo?.()],
  ]);
  const told = { saving: w.saving, saved: theme.data.unpublished_changes ? w.saved : '', refused: w.refused, unsaved: w.waitingToSave }[draft.state];
  return (
    <Box className={classes.editor} mod={{ looking }}>
      <title>{`${w.customise} – ${name}`}</title>
      <Leaving guarded={draft.state === 'unsaved' || draft.state === 'refused'} />
      <Box component="header" className={classes.head}>
        <Group gap="sm" wrap="nowrap" miw={0} className={classes.begin}>
          <ActionIcon component={Link} to={to('theme')} size="lg" aria-label={w.exit}>
            <IconArrowLeft size={20} />
          </ActionIcon>
          <VisuallyHidden component="h1">{w.customise}</VisuallyHidden>
          <Text fw={650} truncate visibleFrom="xs">
            {name}
          </Text>
          {mode === 'test' && (
            <Badge color="yellow" visibleFrom="md">
              {w.sandbox}
            </Badge>
          )}
          <Text size="sm" c={draft.state === 'refused' ? 'var(--stoa-bad)' : 'dimmed'} fw={draft.state === 'refused' ? 600 : undefined} role="status" visibleFrom="sm" truncate>
            {told}
          </Text>
        </Group>
        <Group gap="xs" wrap="nowrap" visibleFrom="sm">
          <SegmentedControl
            size="xs"
            aria-label={w.device.title}
            value={device}
            onChange={(next) => setDevice(next as Device)}
            data={[
              { value: 'desktop', label: <Named icon={IconDeviceDesktop} name={w.device.desktop} /> },
              { value: 'phone', label: <Named icon={IconDeviceMobile} name={w.device.phone} /> },
            ]}
          />
          {design.dark_mode && (
            <SegmentedControl
              size="xs"
              aria-label={w.scheme.title}
              value={scheme}
              onChange={(next) => setScheme(next as Scheme)}
              data={[
                { value: 'light', label: <Named icon={IconSun} name={w.scheme.light} /> },
                { value: 'dark', label: <Named icon={IconMoon} name={w.scheme.dark} /> },
              ]}
            />
          )}
        </Group>
        <Group gap={4} wrap="nowrap" justify="end">
          <Tooltip label={`${w.undo} (Ctrl Z)`}>
            <ActionIcon size="lg" className={classes.step} aria-label={w.undo} disabled={!draft.undo} onClick={draft.undo}>
              <IconArrowBackUp size={19} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={`${w.redo} (Ctrl ⇧ Z)`}>
            <ActionIcon size="lg" className={classes.step} aria-label={w.redo} disabled={!draft.redo} onClick={draft.redo}>
              <IconArrowForwardUp size={19} />
            </ActionIcon>
          </Tooltip>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon size="lg" aria-label={everywhere.actions}>
                <IconDots size={19} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={url} target="_blank" rel="noopener" disabled={!url} leftSection={<IconExternalLink size={16} aria-hidden />}>
                {w.openPreview}
              </Menu.Item>
              {writes && (
                <Menu.Item color="red" disabled={!theme.data.unpublished_changes} leftSection={<IconTrash size={16} aria-hidden />} onClick={() => discard.mutate()}>
                  {w.discard}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
          {writes && (
            <Button ms={4} disabled={!theme.data.unpublished_changes || draft.state !== 'saved'} loading={publish.isPending} onClick={() => publish.mutate()}>
              {w.publish}
            </Button>
          )}
        </Group>
      </Box>
      <Box component="main" className={classes.body} id="content">
        <Box component="section" className={classes.side} aria-label={w.edit}>
          {!opened && (
            <SegmentedControl
              fullWidth
              m="md"
              mb={0}
              aria-label={w.customise}
              value={part}
              onChange={(next) => filters.set({ part: next, section: '' })}
              data={[
                { value: '', label: w.parts.home },
                { value: 'look', label: w.parts.look },
              ]}
            />
          )}
          {theme.data.dead_links.length > 0 && !opened && part === '' && (
            <Alert m="md" mb={0} color="yellow" icon={<IconAlertTriangle size={18} />} title={w.dead.title}>
              {w.dead.text(theme.data.dead_links.length)}
            </Alert>
          )}
          <fieldset disabled={!writes} className={classes.fields}>
            {opened ? (
              <SectionFields key={opened.id} section={opened} draft={draft} dead={theme.data.dead_links} close={() => filters.set({ section: '' })} open={open} />
            ) : part === 'look' ? (
              <Look draft={draft} />
            ) : (
              <Sections draft={draft} dead={theme.data.dead_links} open={open} />
            )}
          </fieldset>
        </Box>
        <Box component="section" className={classes.shop} aria-label={w.preview}>
          {url && <Preview ref={preview} url={url} device={device} scheme={design.dark_mode ? scheme : 'light'} choose={(id) => filters.set({ part: '', section: id })} />}
        </Box>
        <SegmentedControl
          hiddenFrom="sm"
          className={classes.switch}
          aria-label={w.preview}
          value={looking ? 'look' : 'edit'}
          onChange={(next) => setLooking(next === 'look')}
          data={[
            { value: 'edit', label: w.edit },
            { value: 'look', label: w.preview },
          ]}
        />
      </Box>
    </Box>
  );
}

/** A picture that has a name for those who do not see it, and a hint for those who do. */
function Named({ icon: Icon, name }: { icon: typeof IconSun; name: string }) {
  return (
    <Tooltip label={name}>
      <Center>
        <Icon size={17} aria-label={name} role="img" />
      </Center>
    </Tooltip>
  );
}
