import { ActionIcon, AspectRatio, Box, Button, Group, Image, Loader, Modal, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { Dropzone, IMAGE_MIME_TYPE } from '@mantine/dropzone';
import '@mantine/dropzone/styles.layer.css';
import { IconArrowLeft, IconArrowRight, IconPhotoPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { complain } from '../../api/write';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import classes from './media.module.css';
import { useProductWords } from './words';

/** A photo as it is shown here, whether it is in the store already or still only in this browser. */
export type Photo = { id: string; url: string; alt: string; waiting?: boolean };

type MediaProps = {
  photos: Photo[];
  add: (files: File[]) => void;
  move: (photo: Photo, to: number) => void;
  describe: (photo: Photo, alt: string) => void;
  remove: (photo: Photo) => void;
};

const most = 10 * 1024 * 1024;
const kinds = IMAGE_MIME_TYPE.filter((kind) => /jpeg|png|gif|webp/.test(kind));

/** The photos of a product, in their order: dropped, dragged, described and removed. */
export function Media({ photos, add, move, describe, remove }: MediaProps) {
  const w = useProductWords();
  const { can } = useStore();
  const [opened, setOpened] = useState<string>();
  const [dragged, setDragged] = useState<Photo>();
  const shown = photos.find((photo) => photo.id === opened);
  const writes = can('products:write');
  return (
    <Section title={w.media.title}>
      {photos.length > 0 && (
        <SimpleGrid cols={{ base: 3, xs: 4, sm: 5 }} spacing="sm">
          {photos.map((photo, n) => (
            <Box
              key={photo.id}
              className={classes.photo}
              mod={{ dragged: dragged?.id === photo.id }}
              draggable={writes && !photo.waiting}
              onDragStart={() => setDragged(photo)}
              onDragEnd={() => setDragged(undefined)}
              onDragOver={(event) => dragged && event.preventDefault()}
              onDrop={() => dragged && dragged.id !== photo.id && move(dragged, n)}
            >
              <button type="button" className={classes.open} onClick={() => setOpened(photo.id)} aria-label={photo.alt || w.media.photo(n + 1)}>
                <AspectRatio ratio={1}>
                  <Image src={photo.url} alt="" fit="cover" />
                </AspectRatio>
              </button>
              {photo.waiting && <Loader size="sm" className={classes.loader} />}
            </Box>
          ))}
        </SimpleGrid>
      )}
      {writes && (
        <Dropzone onDrop={add} onReject={() => complain(w.media.refused)} accept={kinds} maxSize={most} aria-label={w.media.drop} radius="md" py={photos.length > 0 ? 'sm' : 'xl'}>
          <Stack align="center" gap={4} style={{ pointerEvents: 'none' }}>
            <IconPhotoPlus size={photos.length > 0 ? 22 : 34} stroke={1.4} aria-hidden />
            <Text size="sm" fw={500}>
              {w.media.drop}
            </Text>
            {photos.length === 0 && (
              <Text size="xs" c="dimmed" ta="center">
                {w.media.text}
              </Text>
            )}
          </Stack>
        </Dropzone>
      )}
      <Modal opened={shown !== undefined} onClose={() => setOpened(undefined)} size="lg" title={w.media.title}>
        {shown && (
          <Shown
            key={shown.id}
            photo={shown}
            at={photos.indexOf(shown)}
            of={photos.length}
            writes={writes}
            move={(to) => move(shown, to)}
            describe={(alt) => {
              describe(shown, alt);
              setOpened(undefined);
            }}
            remove={() => {
              remove(shown);
              setOpened(undefined);
            }}
          />
        )}
      </Modal>
    </Section>
  );
}

type ShownProps = { photo: Photo; at: number; of: number; writes: boolean; move: (to: number) => void; describe: (alt: string) => void; remove: () => void };

function Shown({ photo, at, of, writes, move, describe, remove }: ShownProps) {
  const w = useProductWords();
  const everywhere = useWords();
  const [alt, setAlt] = useState(photo.alt);
  return (
    <Stack>
      <Image src={photo.url} alt={photo.alt} mah="50vh" fit="contain" radius="md" />
      {writes && (
        <>
          <TextInput label={w.media.alt} description={w.media.altText} maxLength={512} value={alt} onChange={(event) => setAlt(event.currentTarget.value)} data-autofocus />
          <Group justify="space-between">
            <Group gap="xs">
              <ActionIcon variant="default" size="lg" aria-label={w.media.earlier} disabled={at === 0} onClick={() => move(at - 1)}>
                <IconArrowLeft size={18} />
              </ActionIcon>
              <ActionIcon variant="default" size="lg" aria-label={w.media.later} disabled={at === of - 1} onClick={() => move(at + 1)}>
                <IconArrowRight size={18} />
              </ActionIcon>
              <Button variant="subtle" color="red" onClick={remove}>
                {everywhere.remove}
              </Button>
            </Group>
            <Button onClick={() => describe(alt.trim())}>{everywhere.save}</Button>
          </Group>
        </>
      )}
    </Stack>
  );
}
