import { Button, Group, PasswordInput, Radio, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { SaveBar } from '../../page/form';
import { useFresh } from '../../page/fresh';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import classes from './access.module.css';
import { useDomainWords } from './words';

type Access = Schemas['ShopAccess'];

/** Who may come into the shop. */
export default function ShopAccess() {
  const w = useDomainWords().access;
  const { query } = useStore();
  const access = query.useQuery('get', '/v1/settings/shop-access', {});
  if (access.isLoadingError) return <Trouble error={access.error} retry={access.refetch} />;
  return (
    <Page narrow title={w.title} text={w.text}>
      {access.data ? <Present access={access.data} /> : <Skeleton height={280} radius="lg" />}
    </Page>
  );
}

// The password cannot be read; a field that is left empty leaves it as it is.
const written = ({ state, message }: Access) => ({ state, message: message ?? '', password: '' });

function Present({ access }: { access: Access }) {
  const w = useDomainWords().access;
  const { api, can } = useStore();
  const form = useForm({
    of: 'access',
    initialValues: written(access),
    validate: { password: (password, { state }) => (state === 'password' && !password && !access.password_set ? w.needPassword : null) },
  });
  useFresh(form, written(access));
  const save = useWrite({
    form: form as never,
    said: w.saved,
    undoable: true,
    write: ({ state, message, password }: typeof form.values) => answered(api.PATCH('/v1/settings/shop-access', { body: { state, message: message.trim() || null, ...(password && { password }) } })),
    done: () => {
      form.setFieldValue('password', '');
      form.resetDirty({ ...form.getValues(), password: '' });
    },
  });
  const closed = form.values.state !== 'open';
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <fieldset disabled={!can('settings:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack gap="lg">
          <Section>
            <Radio.Group aria-label={w.text} {...form.getInputProps('state')}>
              <Stack gap="xs">
                {(['open', 'password', 'maintenance'] as const).map((state) => (
                  <Radio.Card key={state} value={state} p="md" radius="md" className={classes.choice}>
                    <Group wrap="nowrap" align="start">
                      <Radio.Indicator mt={2} />
                      <div>
                        <Text size="sm" fw={600}>
                          {w.states[state]}
                        </Text>
                        <Text size="sm" c="dimmed">
                          {w.stateTexts[state]}
                        </Text>
                      </div>
                    </Group>
                  </Radio.Card>
                ))}
              </Stack>
            </Radio.Group>
            {form.values.state === 'password' && <PasswordInput label={w.password} description={access.password_set ? w.passwordSet : w.passwordText} inputWrapperOrder={['label', 'input', 'description', 'error']} autoComplete="off" maxLength={100} maw={360} {...form.getInputProps('password')} />}
            {closed && <Textarea label={w.message} description={w.messageText} inputWrapperOrder={['label', 'input', 'description', 'error']} placeholder={w.messageExample} autosize minRows={2} maxLength={500} {...form.getInputProps('message')} />}
          </Section>
          {access.state !== 'open' && (
            <Section title={w.link} text={w.linkText}>
              <Group wrap="nowrap" gap="xs">
                <Text size="sm" ff="monospace" truncate flex={1}>
                  {access.preview_url}
                </Text>
                <Copy value={access.preview_url} />
                <Button component="a" href={access.preview_url} target="_blank" rel="noopener" variant="default" size="xs" leftSection={<IconExternalLink size={15} aria-hidden />}>
                  {w.open}
                </Button>
              </Group>
            </Section>
          )}
        </Stack>
      </fieldset>
      <SaveBar dirty={form.isDirty()} saving={save.isPending} discard={form.reset} />
    </form>
  );
}
