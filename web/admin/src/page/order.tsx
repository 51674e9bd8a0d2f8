import { ActionIcon, Box } from '@mantine/core';
import { IconGripVertical } from '@tabler/icons-react';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useWords } from '../words/everywhere';
import classes from './order.module.css';

type OrderedProps<T> = {
  items: T[];
  id: (item: T, at: number) => string;
  name: (item: T, at: number) => string;
  move: (from: number, to: number) => void;
  disabled?: boolean;
  /** What an item looks like; the handle is what it is dragged by. */
  children: (item: T, handle: ReactNode, at: number) => ReactNode;
};

/** Things in an order that can be changed: by dragging with mouse or finger, or with the arrow keys on the handle. */
export function Ordered<T>({ items, id, name, move, disabled, children }: OrderedProps<T>) {
  const w = useWords();
  const list = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<string>();
  const present = useRef({ items, move });
  useEffect(() => {
    present.current = { items, move };
  });

  const drag = (event: PointerEvent, key: string) => {
    if (event.button !== 0) return;
    event.preventDefault();
    setDragged(key);
    // The window is listened to, as the item itself is moved about in the page.
    const follow = ({ clientY }: globalThis.PointerEvent) => {
      const { items, move } = present.current;
      const from = items.findIndex((item, at) => id(item, at) === key);
      const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
      const own = rows[from];
      if (!own) return;
      // It changes places with a neighbour as soon as it would lie over more than half of it.
      const next = rows[from + 1];
      const former = rows[from - 1];
      if (next && clientY > own.top + next.height + own.height / 2) move(from, from + 1);
      else if (former && clientY < former.top + own.height / 2) move(from, from - 1);
    };
    const stop = () => {
      setDragged(undefined);
      window.removeEventListener('pointermove', follow);
      window.removeEventListener('pointerup', stop);
      window.removeEventListener('pointercancel', stop);
    };
    window.addEventListener('pointermove', follow);
    window.addEventListener('pointerup', stop);
    window.addEventListener('pointercancel', stop);
  };

  const press = (event: KeyboardEvent<HTMLButtonElement>, at: number) => {
    const to = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0 || to >= items.length) return;
    move(at, to);
    // The page moves the item, and with it goes the focus.
    const handle = event.currentTarget;
    requestAnimationFrame(() => handle.focus());
  };

  return (
    <div ref={list}>
      {items.map((item, at) => {
        const key = id(item, at);
        const handle = (
          <ActionIcon className={classes.handle} disabled={disabled} aria-label={w.moveIt(name(item, at))} title={w.moveText} onPointerDown={(event) => drag(event, key)} onKeyDown={(event) => press(event, at)}>
            <IconGripVertical size={16} />
          </ActionIcon>
        );
        return (
          <Box key={key} className={classes.item} mod={{ dragged: dragged === key }}>
            {children(item, items.length > 1 ? handle : null, at)}
          </Box>
        );
      })}
    </div>
  );
}

/** A list with one of its items elsewhere. */
export function moved<T>(items: T[], from: number, to: number): T[] {
  const item = items[from];
  return item === undefined ? items : items.toSpliced(from, 1).toSpliced(to, 0, item);
}
