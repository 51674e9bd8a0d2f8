import { useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, useWrite } from '../../api/write';
import { Leaving } from '../../page/form';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { type Draft, newDraft, productCreate } from './draft';
import { Editor, useProductForm } from './editor';
import { Media, type Photo } from './media';
import { useProductWords } from './words';

type Waiting = Photo & { file: File };

/** A product that is not there yet. */
export default function NewProduct() {
  const w = useProductWords();
  const { api, to, settings } = useStore();
  const go = useNavigate();
  const copied = (useLocation().state as { copied?: Draft } | null)?.copied;
  const form = useProductForm(copied ?? newDraft());
  const [photos, setPhotos] = useState<Waiting[]>([]);
  const [sent, setSent] = useState(false);
  const key = useRef(idempotencyKey());
  const urls = useRef<string[]>([]);
  useEffect(() => () => urls.current.forEach((url) => URL.revokeObjectURL(url)), []);

  const create = useWrite({
    form: form as never,
    write: async (draft: Draft) => {
      const product = await answered(api.POST('/v1/products', { params: { header: { 'Idempotency-Key': key.current } }, body: productCreate(draft, settings.currency) }));
      for (const photo of photos) {
        // One after the other, as their order is that of the product.
        // oxlint-disable-next-line no-await-in-loop
        await upload(api, product.data.id, photo.file, photo.alt).catch(() => complain(w.media.failed(photo.file.name)));
      }
      return product;
    },
    said: (product: Schemas['Product']) => w.created(product.title),
    done: () => setSent(true),
  });
  // Only when nothing is unsaved any more may one leave without being asked.
  useEffect(() => {
    if (sent && create.data) void go(to(`products/${create.data.data.id}`), { replace: true });
  }, [sent, create.data, go, to]);

  const add = (files: File[]) => {
    const added = files.map((file) => ({ id: idempotencyKey(), url: URL.createObjectURL(file), alt: '', file }));
    urls.current.push(...added.map(({ url }) => url));
    setPhotos((now) => [...now, ...added]);
  };
  return (
    <Page title={w.new} back="products">
      <Leaving guarded={photos.length > 0 && !form.isDirty() && !create.isPending && !sent} />
      <Editor
        form={form}
        locations={[]}
        isNew
        more={0}
        saving={create.isPending || sent}
        save={(draft) => create.mutate(draft)}
        media={
          <Media
            photos={photos}
            add={add}
            move={(photo, at) =>
              setPhotos((now) => {
                const others = now.filter(({ id }) => id !== photo.id);
                return others.toSpliced(at, 0, photo as Waiting);
              })
            }
            describe={(photo, alt) => setPhotos((now) => now.map((each) => (each.id === photo.id ? { ...each, alt } : each)))}
            remove={(photo) => setPhotos((now) => now.filter(({ id }) => id !== photo.id))}
          />
        }
      />
    </Page>
  );
}

/** Uploads a photo of a product. */
export function upload(api: ReturnType<typeof useStore>['api'], product_id: string, file: File, alt = '') {
  return answered(
    api.POST('/v1/products/{product_id}/images', {
      params: { path: { product_id } },
      body: { file: '', ...(alt && { alt }) },
      bodySerializer: () => {
        const form = new FormData();
        form.append('file', file);
        if (alt) form.append('alt', alt);
        return form;
      },
    }),
  );
}
