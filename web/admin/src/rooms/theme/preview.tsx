import { Box, Center, Loader } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type Ref, useEffect, useEffectEvent, useImperativeHandle, useRef, useState } from 'react';
import { answered } from '../../api/client';
import { useStore } from '../../session/store';
import classes from './preview.module.css';
import { useThemeWords } from './words';

/** A link to the shop as the draft has it. Another one is asked for before it ends. */
export function usePreviewLink() {
  const { api, can } = useStore();
  const link = useQuery({
    queryKey: ['preview'],
    queryFn: () => answered(api.POST('/v1/theme/preview')).then(({ data }) => data.url),
    enabled: can('content:write'),
    staleTime: 50 * 60_000,
    refetchInterval: 50 * 60_000,
  });
  return link.data;
}

export type Device = 'desktop' | 'phone';
export type Scheme = 'light' | 'dark';

/** What can be asked of a preview: to have what is there now, and to show a section. */
export type PreviewHandle = { renew: (show?: string) => void; show: (section: string) => void };

const widths = { desktop: 1240, phone: 390 };

type PreviewProps = { url: string; device: Device; scheme: Scheme; still?: boolean; choose?: (section: string) => void; ref?: Ref<PreviewHandle> };

/** The shop in a frame: in the width of a device, however much room there is. */
export function Preview({ url, device, scheme, still, choose, ref }: PreviewProps) {
  const w = useThemeWords();
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const { ref: pane, width, height } = useElementSize();
  const { origin } = new URL(url);
  // What is said before the shop listens is said to it once it does.
  const listens = useRef(false);
  const waiting = useRef<{ renew?: boolean; show?: string }>({});
  const say = (message: { renew?: boolean; show?: string }) => {
    if (listens.current) frame.current?.contentWindow?.postMessage(message, origin);
    else waiting.current = { ...waiting.current, ...message };
  };
  useImperativeHandle(ref, () => ({ renew: (show) => say({ renew: true, show }), show: (section) => say({ show: section }) }));
  const heard = useEffectEvent((event: MessageEvent<{ ready?: boolean; chosen?: string }>) => {
    if (event.origin !== origin || event.source !== frame.current?.contentWindow) return;
    if (event.data.ready) {
      setReady(true);
      listens.current = true;
      if (waiting.current.renew || waiting.current.show) say(waiting.current);
      waiting.current = {};
    }
    if (event.data.chosen) choose?.(event.data.chosen);
  });
  useEffect(() => {
    const hear = (event: MessageEvent) => heard(event);
    window.addEventListener('message', hear);
    return () => window.removeEventListener('message', hear);
  }, []);
  const wide = device === 'phone' ? widths.phone : Math.max(widths.desktop, width);
  const scale = width > 0 ? Math.min(1, width / wide) : 1;
  return (
    <Box ref={pane} className={classes.pane} mod={{ device, still }}>
      {!ready && (
        <Center className={classes.waiting}>
          <Loader />
        </Center>
      )}
      {width > 0 && (
        <iframe
          ref={frame}
          src={url}
          title={w.previewOf}
          tabIndex={still ? -1 : undefined}
          inert={still}
          className={classes.frame}
          // oxlint-disable-next-line react/iframe-missing-sandbox -- the shop is another site than this one, and has scripts and a cart of its own
          sandbox="allow-scripts allow-same-origin allow-forms allow-popups"
          onLoad={() => setReady(true)}
          style={{ width: wide, height: height / scale, transform: `scale(${scale})`, marginInlineStart: device === 'phone' ? (width - wide * scale) / 2 : 0, colorScheme: scheme, visibility: ready ? undefined : 'hidden' }}
        />
      )}
    </Box>
  );
}
