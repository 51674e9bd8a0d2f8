import { type CSSVariablesResolver, createTheme, rem } from '@mantine/core';

/** The colours of the platform's own pages: clay, paper and ink, all of them warm. What closes something is called so. */
export const themed = (close: string) =>
  createTheme({
    primaryColor: 'clay',
    primaryShade: { light: 7, dark: 6 },
    colors: {
      clay: ['#fbf1ee', '#f5e0d9', '#eac4b8', '#dd9f8d', '#d17a62', '#c55c42', '#b04a2f', '#9c4328', '#7f3520', '#652a1a'],
      gray: ['#faf8f4', '#f4f1eb', '#ebe6dc', '#e0d9cc', '#cec5b6', '#a89f90', '#8a8276', '#68625a', '#443f38', '#1d1b17'],
      dark: ['#ece7de', '#cfc8bc', '#a59d91', '#7c756a', '#413c35', '#35312b', '#27241f', '#1d1b17', '#171512', '#110f0d'],
    },
    black: '#1d1b17',
    defaultRadius: 'md',
    cursorType: 'pointer',
    respectReducedMotion: true,
    fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif',
    fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    headings: {
      fontWeight: '650',
      sizes: {
        h1: { fontSize: rem(24), lineHeight: '1.3' },
        h2: { fontSize: rem(17), lineHeight: '1.4' },
        h3: { fontSize: rem(15), lineHeight: '1.4' },
      },
    },
    components: {
      // A coloured title on its own tint is too faint to be read.
      Alert: { styles: { title: { color: 'var(--mantine-color-text)' } } },
      Card: { defaultProps: { withBorder: true, padding: 'lg', radius: 'lg' } },
      Drawer: { defaultProps: { closeButtonProps: { 'aria-label': close } }, styles: { title: { fontWeight: 650 } } },
      Modal: { defaultProps: { centered: true, closeButtonProps: { 'aria-label': close }, radius: 'lg', overlayProps: { backgroundOpacity: 0.35, blur: 2 } }, styles: { title: { fontWeight: 650 } } },
      Notification: { defaultProps: { closeButtonProps: { 'aria-label': close } } },
      Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
      Menu: { defaultProps: { shadow: 'md', radius: 'md' } },
      Badge: { defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 600 } },
      ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    },
  });

export const variables: CSSVariablesResolver = () => ({
  variables: { '--stoa-serif': '"Iowan Old Style", "Palatino Linotype", Palatino, P052, "URW Palladio L", "Book Antiqua", Georgia, "Noto Serif", serif' },
  light: { '--stoa-paper': '#faf8f4', '--stoa-good': '#2c6142', '--stoa-bad': '#9b2c1d', '--mantine-color-error': '#9b2c1d', '--mantine-color-body': '#ffffff', '--mantine-color-dimmed': '#68625a', '--mantine-color-default-border': '#e0d9cc' },
  dark: { '--stoa-paper': '#171512', '--stoa-good': '#9fd0ae', '--stoa-bad': '#f0a091', '--mantine-color-error': '#f0a091', '--mantine-color-body': '#1d1b17', '--mantine-color-dimmed': '#a59d91', '--mantine-color-default-border': '#35312b' },
});
