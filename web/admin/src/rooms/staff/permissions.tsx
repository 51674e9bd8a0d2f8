import { Checkbox, Input, ScrollArea, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { type Permission, useStore } from '../../session/store';
import { usePermissionText } from './permissionwords';

type PermissionsProps = { label: string; value: Permission[]; error?: ReactNode; onChange: (permissions: Permission[]) => void };

/** Everything that can be allowed, as far as one has it oneself: nobody gives what they have not. */
export function Permissions({ label, value, error, onChange }: PermissionsProps) {
  const { query, can } = useStore();
  const textOf = usePermissionText();
  const all = query.useQuery('get', '/v1/permissions', { params: { query: { limit: 100 } } });
  return (
    <Input.Wrapper label={label} error={error} labelElement="div">
      {all.data ? (
        <ScrollArea.Autosize mah={320} type="auto" viewportProps={{ tabIndex: 0 }}>
          <Checkbox.Group aria-label={label} value={value} onChange={(next) => onChange(next as Permission[])}>
            <Stack gap="sm" py="xs">
              {all.data.data.map((permission) => (
                <Checkbox
                  key={permission.name}
                  value={permission.name}
                  disabled={!can(permission.name)}
                  label={
                    <>
                      <Text span inherit ff="monospace" fz="xs" fw={600}>
                        {permission.name}
                      </Text>
                      <br />
                      {textOf(permission)}
                    </>
                  }
                />
              ))}
            </Stack>
          </Checkbox.Group>
        </ScrollArea.Autosize>
      ) : (
        <Skeleton height={200} />
      )}
    </Input.Wrapper>
  );
}
