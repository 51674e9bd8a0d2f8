import { Skeleton, Stack, Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import classes from './mails.module.css';
import { mailGroups, useMailWords } from './words';

type Kind = Schemas['MailKind'];
type Group = keyof typeof mailGroups;

/** Every kind of mail that the store sends. */
export default function Mails() {
  const w = useMailWords();
  const { query, to } = useStore();
  const kinds = query.useQuery('get', '/v1/mail-templates', { params: { query: { limit: 100 } } });
  if (kinds.isLoadingError) return <Trouble error={kinds.error} retry={kinds.refetch} />;
  const groupOf = ({ kind }: Kind): Group => (Object.keys(mailGroups) as Group[]).find((group) => (mailGroups[group] as readonly string[]).includes(kind)) ?? 'team';
  // In the order in which they are named; those that are not stand at the end.
  const place = (group: Group, { kind }: Kind) => ((mailGroups[group] as readonly string[]).indexOf(kind) + 100) % 100;
  return (
    <Page narrow title={w.title} text={w.text}>
      <Stack gap="lg">
        {kinds.isPending && <Skeleton height={400} radius="lg" />}
        {kinds.data &&
          (Object.keys(mailGroups) as Group[]).map((group) => (
            <Section key={group} title={w.groups[group]} flush>
              {kinds.data.data
                .filter((kind) => groupOf(kind) === group)
                .toSorted((a, b) => place(group, a) - place(group, b))
                .map((kind) => (
                  <Link key={kind.kind} to={to(`mails/${kind.kind}`)} className={classes.kind}>
                    <div>
                      <Text size="sm" fw={600}>
                        {(w.kinds as Record<string, string>)[kind.kind] ?? kind.description}
                      </Text>
                    </div>
                    {kind.edited_locales.length > 0 && <State mood="well">{w.edited(kind.edited_locales.join(', '))}</State>}
                    <IconChevronRight size={16} aria-hidden />
                  </Link>
                ))}
            </Section>
          ))}
      </Stack>
    </Page>
  );
}
