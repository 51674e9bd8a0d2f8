import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { RouterProvider } from 'react-router/dom';
import { tellProblemsIn } from './api/problem';
import { router } from './routes';
import { platformMemory } from './session/session';
import { themed, variables } from './theme';
import { useWords } from './words/everywhere';
import { LanguageContext, firstLanguage, keepLanguage } from './words/language';

export function App({ nonce }: { nonce: string }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    void tellProblemsIn(language);
  }, [language]);
  const chosen = useMemo(
    () => ({
      language,
      choose: (next: typeof language) => {
        keepLanguage(next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return (
    <LanguageContext value={chosen}>
      <Dressed nonce={nonce} />
    </LanguageContext>
  );
}

function Dressed({ nonce }: { nonce: string }) {
  const { close } = useWords();
  const theme = useMemo(() => themed(close), [close]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <Notifications position="top-center" limit={3} />
      <QueryClientProvider client={platformMemory}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
