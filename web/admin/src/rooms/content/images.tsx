import { ActionIcon, AspectRatio, Box, Button, Center, Group, Image, Input, Loader, Modal, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { Dropzone, IMAGE_MIME_TYPE } from '@mantine/dropzone';
import '@mantine/dropzone/styles.layer.css';
import { IconPhoto, IconPhotoPlus, IconTrash, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { pages } from '../../page/list';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import classes from './images.module.css';
import { useContentWords } from './words';

type Picture = Schemas['ContentImage'];

const most = 10 * 1024 * 1024;
const kinds = IMAGE_MIME_TYPE.filter((kind) => /jpeg|png|gif|webp/.test(kind));

/** A picture in about the width that it is shown in here. */
const small = (image: Picture) => image.sizes.find(({ width }) => width >= 320)?.url ?? image.url;

type ImageFieldProps = { label: string; description?: string; value: string | null; onChange: (id: string | null) => void; error?: ReactNode; contain?: boolean };

/** A field for one of the pictures that are no product's. */
export function ImageField({ label, description, value, onChange, error, contain }: ImageFieldProps) {
  const w = useContentWords();
  const { query } = useStore();
  const [choosing, setChoosing] = useState(false);
  const image = query.useQuery('get', '/v1/content-images/{content_image_id}', { params: { path: { content_image_id: value ?? '' } } }, { enabled: value !== null });
  const shown = value !== null && image.data?.id === value ? image.data : undefined;
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <Group wrap="nowrap" gap="sm" mt={description ? 6 : 0} align="center">
        <Box component="button" type="button" className={classes.field} onClick={() => setChoosing(true)} aria-label={`${label}: ${w.images.choose}`}>
          {shown ? <Image src={small(shown)} alt={shown.alt ?? ''} w="100%" h="100%" fit={contain ? 'contain' : 'cover'} /> : <IconPhoto size={26} stroke={1.4} aria-hidden />}
        </Box>
        <Stack gap={4} align="start" miw={0}>
          <Button size="compact-sm" variant="default" onClick={() => setChoosing(true)}>
            {value ? w.images.replace : w.images.choose}
          </Button>
          {value && (
            <Button size="compact-sm" variant="subtle" color="gray" leftSection={<IconX size={14} aria-hidden />} onClick={() => onChange(null)}>
              {w.images.none}
            </Button>
          )}
        </Stack>
      </Group>
      <ImageChooser
        opened={choosing}
        close={() => setChoosing(false)}
        chosen={value}
        choose={(image) => {
          onChange(image.id);
          setChoosing(false);
        }}
      />
    </Input.Wrapper>
  );
}

type ImageChooserProps = { opened: boolean; close: () => void; chosen?: string | null; choose: (image: Picture) => void };

/** All pictures that are no product's, to choose one, to add some, to say what they show, and to remove them. */
export function ImageChooser({ opened, close, chosen = null, choose }: ImageChooserProps) {
  const w = useContentWords();
  return (
    <Modal opened={opened} onClose={close} size="xl" title={w.images.title}>
      {opened && <Images chosen={chosen} choose={choose} />}
    </Modal>
  );
}

function Images({ chosen, choose }: { chosen: string | null; choose: (image: Picture) => void }) {
  const w = useContentWords();
  const everywhere = useWords();
  const { api, query, can } = useStore();
  const list = query.useInfiniteQuery('get', '/v1/content-images', { params: { query: { limit: 48 } } }, pages);
  const [looked, setLooked] = useState<string>();
  const images = list.data?.pages.flatMap((page) => page.data) ?? [];
  const opened = images.find(({ id }) => id === looked);
  const upload = useWrite({
    write: async (files: File[]) => {
      let last: Picture | undefined;
      for (const file of files) {
        // One after the other, as each is measured and made small by the store.
        // oxlint-disable-next-line no-await-in-loop
        ({ data: last } = await answered(uploadImage(api, file)));
      }
      return { data: last, requests: [], version: undefined };
    },
    done: ({ data }, files) => {
      if (data && files.length === 1) choose(data);
    },
  });
  return (
    <Stack>
      {can('content:write') && (
        <Dropzone onDrop={(files) => upload.mutate(files)} onReject={() => complain(w.images.refused)} accept={kinds} maxSize={most} loading={upload.isPending} aria-label={w.images.drop} radius="md" py="sm">
          <Stack align="center" gap={4} style={{ pointerEvents: 'none' }}>
            <IconPhotoPlus size={26} stroke={1.4} aria-hidden />
            <Text size="sm" fw={500}>
              {w.images.drop}
            </Text>
            <Text size="xs" c="dimmed" ta="center">
              {w.images.text}
            </Text>
          </Stack>
        </Dropzone>
      )}
      {list.isPending ? (
        <Center py="xl">
          <Loader />
        </Center>
      ) : (
        <SimpleGrid cols={{ base: 3, xs: 4, sm: 6 }} spacing="sm">
          {images.map((image) => (
            <button key={image.id} type="button" className={classes.image} data-chosen={image.id === chosen || image.id === looked || undefined} aria-label={image.alt ?? w.images.nameless} onClick={() => setLooked(image.id)} onDoubleClick={() => choose(image)}>
              <AspectRatio ratio={1}>
                <Image src={small(image)} alt="" fit="cover" loading="lazy" />
              </AspectRatio>
            </button>
          ))}
        </SimpleGrid>
      )}
      {list.hasNextPage && (
        <Center>
          <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {everywhere.more}
          </Button>
        </Center>
      )}
      {opened && <Chosen key={opened.id} image={opened} use={() => choose(opened)} gone={() => setLooked(undefined)} />}
    </Stack>
  );
}

function Chosen({ image, use, gone }: { image: Picture; use: () => void; gone: () => void }) {
  const w = useContentWords();
  const everywhere = useWords();
  const { api, can } = useStore();
  const [alt, setAlt] = useState(image.alt ?? '');
  const path = { content_image_id: image.id };
  const describe = useWrite({ write: () => answered(api.PATCH('/v1/content-images/{content_image_id}', { params: { path }, body: { alt: alt.trim() || null } })), said: everywhere.saved });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/content-images/{content_image_id}', { params: { path } })), said: w.images.deleted, undoable: true, done: gone });
  const writes = can('content:write');
  const said = alt.trim() !== (image.alt ?? '');
  return (
    <Box className={classes.chosen}>
      <Group wrap="nowrap" align="end" gap="sm">
        <TextInput flex={1} label={w.images.alt} description={w.images.altText} maxLength={512} disabled={!writes} value={alt} onChange={(event) => setAlt(event.currentTarget.value)} />
        {writes && (
          <ActionIcon size={36} variant="subtle" color="red" aria-label={w.images.delete} loading={remove.isPending} onClick={() => remove.mutate()}>
            <IconTrash size={18} />
          </ActionIcon>
        )}
        {said && (
          <Button variant="default" loading={describe.isPending} onClick={() => describe.mutate()}>
            {everywhere.save}
          </Button>
        )}
        <Button
          onClick={() => {
            if (said) describe.mutate();
            use();
          }}
        >
          {w.images.use}
        </Button>
      </Group>
    </Box>
  );
}

function uploadImage(api: ReturnType<typeof useStore>['api'], file: File) {
  return api.POST('/v1/content-images', {
    body: { file: '' },
    bodySerializer: () => {
      const form = new FormData();
      form.append('file', file);
      return form;
    },
  });
}
