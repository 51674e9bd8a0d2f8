import { Box, CloseButton, ColorInput, Radio, SegmentedControl, Select, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useStore } from '../../session/store';
import { ImageField } from '../content/images';
import { LinkField } from '../content/links';
import type { Design, Draft } from './draft';
import classes from './editor.module.css';
import { useThemeWords } from './words';

type Preset = Schemas['ThemePreset'];
type Color = keyof Schemas['ThemeColors'];

const colors: Color[] = ['background', 'surface', 'text', 'accent', 'button', 'button_text'];

/** The theme, the logo, colours, types and corners: what holds for all pages. */
export function Look({ draft }: { draft: Draft }) {
  const w = useThemeWords();
  const { query } = useStore();
  const { design, change, faults } = draft;
  const presets = query.useQuery('get', '/v1/themes', {});
  const preset = presets.data?.data.find(({ name }) => name === design.theme);
  const fonts = Object.entries(w.look.fonts).map(([value, label]) => ({ value, label }));
  return (
    <>
      <Part title={w.look.theme}>
        <Radio.Group aria-label={w.look.theme} value={design.theme} onChange={(theme) => change({ theme: theme as Design['theme'] })}>
          <Stack gap="xs">
            {(presets.data?.data ?? []).map((each) => (
              <ThemeCard key={each.name} preset={each} />
            ))}
          </Stack>
        </Radio.Group>
      </Part>
      <Part title={w.look.brand}>
        <ImageField label={w.look.logo} description={w.look.logoText} contain error={faults.logo_image_id} value={design.logo_image_id} onChange={(logo_image_id) => change({ logo_image_id })} />
        <ImageField label={w.look.favicon} description={w.look.faviconText} contain error={faults.favicon_image_id} value={design.favicon_image_id} onChange={(favicon_image_id) => change({ favicon_image_id })} />
      </Part>
      <Colors draft={draft} preset={preset} />
      <Part title={w.look.type}>
        {(['heading_font', 'body_font'] as const).map((name) => (
          <Select
            key={name}
            label={name === 'heading_font' ? w.look.heading : w.look.body}
            placeholder={preset && w.look.asTheme(w.look.fonts[preset[name]])}
            clearable
            allowDeselect={false}
            data={fonts}
            error={faults[name]}
            value={design[name]}
            onChange={(font) => change({ [name]: font })}
          />
        ))}
      </Part>
      <Part title={w.look.corners}>
        <SegmentedControl fullWidth aria-label={w.look.corners} value={design.corners ?? ''} onChange={(corners) => change({ corners: (corners || null) as Design['corners'] })} data={Object.entries(w.look.corner).map(([value, label]) => ({ value, label }))} />
      </Part>
      <Part title={w.look.announcement}>
        <TextInput
          label={w.fields.text}
          description={w.look.announcementText}
          placeholder={w.look.announcementExample}
          maxLength={200}
          error={faults['announcement/text']}
          value={design.announcement?.text ?? ''}
          onChange={(event) => change({ announcement: { link: design.announcement?.link ?? null, text: event.currentTarget.value } }, 'announcement')}
        />
        {design.announcement?.text && <LinkField clearable value={design.announcement.link ?? null} onChange={(link) => change({ announcement: { text: design.announcement?.text ?? '', link } }, 'announcement/link')} errors={{ url: faults['announcement/link/url'], resource_id: faults['announcement/link/resource_id'] }} />}
      </Part>
    </>
  );
}

function Part({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <Box component="section" className={classes.part}>
      <Title order={2} size="h3" mb={text ? 2 : 'sm'}>
        {title}
      </Title>
      {text && (
        <Text size="xs" c="dimmed" mb="sm">
          {text}
        </Text>
      )}
      <Stack gap="md">{children}</Stack>
    </Box>
  );
}

/** A theme to choose, as a sketch of itself. */
function ThemeCard({ preset }: { preset: Preset }) {
  const w = useThemeWords();
  const { background, surface, text, button } = preset.colors;
  const paint = (color?: string | null) => ({ background: color ?? undefined });
  const radius = { sharp: 0, soft: 2, round: 6 }[preset.corners];
  return (
    <Radio.Card value={preset.name} className={classes.theme} aria-label={w.themes[preset.name].title}>
      <span className={classes.sketch} style={paint(background)} aria-hidden>
        <i style={{ ...paint(text), width: { boutique: '55%', catalogue: '90%', brand: '40%' }[preset.name], height: preset.name === 'brand' ? 9 : 4 }} />
        <span className={classes.goods}>
          {Array.from({ length: { boutique: 2, catalogue: 4, brand: 1 }[preset.name] }, (_, n) => (
            <i key={n} style={{ ...paint(surface), outline: `1px solid ${text ?? ''}22`, borderRadius: radius }} />
          ))}
        </span>
        <i style={{ ...paint(button), width: '38%', height: 7, borderRadius: radius }} />
      </span>
      <Box component="span" miw={0}>
        <Text component="span" display="block" size="sm" fw={600}>
          {w.themes[preset.name].title}
        </Text>
        <Text component="span" display="block" size="xs" c="dimmed">
          {w.themes[preset.name].text}
        </Text>
      </Box>
    </Radio.Card>
  );
}

/** The colours of one of both schemes. What cannot be read is refused at the colour that it is of. */
function Colors({ draft, preset }: { draft: Draft; preset?: Preset }) {
  const w = useThemeWords();
  const { design, change, faults } = draft;
  const [chosen, setChosen] = useState<'colors' | 'dark_colors'>('colors');
  const palette = design.dark_mode ? chosen : 'colors';
  return (
    <Part title={w.look.colors} text={w.look.colorsText}>
      <Switch label={w.look.dark} checked={design.dark_mode} onChange={(event) => change({ dark_mode: event.currentTarget.checked })} />
      {design.dark_mode && <SegmentedControl fullWidth size="xs" aria-label={w.look.colors} value={palette} onChange={(next) => setChosen(next as typeof palette)} data={Object.entries(w.look.palettes).map(([value, label]) => ({ value, label }))} />}
      {colors.map((name) => {
        const own = design[palette][name] ?? null;
        const usual = preset?.[palette][name] ?? undefined;
        const swatches = [...new Set(colors.flatMap((each) => preset?.[palette][each] ?? []))];
        return <ColorField key={`${palette}/${name}`} label={w.look.color[name]} usual={usual} swatches={swatches} error={faults[`${palette}/${name}`]} value={own} onChange={(color) => change({ [palette]: { ...design[palette], [name]: color } }, `${palette}/${name}`)} />;
      })}
    </Part>
  );
}

type ColorFieldProps = { label: string; usual?: string; swatches: string[]; error?: string; value: string | null; onChange: (color: string | null) => void };

/** A colour that is chosen, or left to the theme. */
function ColorField({ label, usual, swatches, error, value, onChange }: ColorFieldProps) {
  const w = useThemeWords();
  const [text, setText] = useState(value ?? '');
  const [former, setFormer] = useState(value);
  if (value !== former) {
    setFormer(value);
    setText(value ?? '');
  }
  return (
    <ColorInput
      label={label}
      placeholder={w.look.automatic}
      format="hex"
      withEyeDropper={false}
      popoverProps={{ withinPortal: false }}
      swatches={swatches}
      leftSection={value ? undefined : <Box w={18} h={18} style={{ borderRadius: 4, background: usual, border: '1px dashed var(--mantine-color-dimmed)' }} aria-hidden />}
      rightSection={value && <CloseButton size="sm" aria-label={`${label}: ${w.look.automatic}`} onClick={() => onChange(null)} />}
      error={error}
      value={text}
      onChange={(next) => {
        setText(next);
        if (next === '') onChange(null);
        else if (/^#[0-9a-f]{6}$/i.test(next)) onChange(next.toLowerCase());
      }}
    />
  );
}
