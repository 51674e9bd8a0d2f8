package passwords

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// code is the code of a refusal, or "".
func code(t rapid.TB, err error) Code {
	if err == nil {
		return ""
	}
	var weak *Weak
	if !errors.As(err, &weak) || weak.Detail == "" {
		t.Fatalf("no refusal: %v", err)
	}
	return weak.Code
}

var ada = Context{Personal: []string{"ada.okafor@example.com", "Ada Okafor", "Kiln & Clay", "kiln-and-clay"}}

func TestPasswordsThatAreTaken(t *testing.T) {
	for _, password := range []string{
		"zebra kettle violin moss",
		"Mein Hund frisst gern Quitten",
		"x7Gk2pQ9vL4mZ8s",
		"日本語の長い合言葉を使いますよ",
		"очень длинная фраза про сливы",
		"🐝🌵🎻🧊🥝🪁🦔🧂🎲🛶🥁🧶🪴🦉🍄",
		"ada likes purple zeppelins best", // her name, and enough besides
		"the kiln is hot when plums fall",
		strings.Repeat("plum ", 3) + "violet kettle drum",
		"tab\tand\nnewline are text too, odd",
		"correct horse battery staple with seven violet umbrellas",
	} {
		if err := Validate(password, ada); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
	long := "begin " + strings.Repeat("0123456789 plum ", 63)
	if err := Validate(long, ada); err != nil || len(long) < 1000 {
		t.Errorf("%d bytes: %v", len(long), err)
	}
}

func TestPasswordsThatAreRefused(t *testing.T) {
	for want, passwords := range map[Code][]string{
		NotText:  {"\xff\xfe\xfd valid otherwise, long enough"},
		TooShort: {"", "x7Gk2pQ9vL4mZ8", "日本語の長い合言葉を使いま", strings.Repeat("e\u0301x", 7)},
		TooLong:  {strings.Repeat("plum violet ", 86), strings.Repeat("🐝🌵", 129)},
		Repeated: {"aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "plumplumplumplum", "Summer2026Summer2026", "pässpässpässpäss", "🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝", strings.Repeat("plum tree ", 20), "passwordpassword", "               ", "abcdefghijklmnabcdefghijklmn"},
		Personal: {"ada.okafor@example.com", "ADA.OKAFOR@EXAMPLE.COM", "adaokafor1234567", "Kiln & Clay 2026", "kilnandclay2026!!!!", "okaforokafor-ada", "kiln-and-clay kiln-and-clay!"},
		Common: {
			"correct horse battery staple", "CorrectHorseBatteryStaple2026!", "c0rr3ct-h0rs3-b4tt3ry-st4pl3", "May the force be with you", "thisismypassword", "Thi$ 1s my p@ssw0rd!!", "qwertyuiopasdfgh",
			"never gonna give you up", "supercalifragilisticexpialidocious", "dasistmeinpasswort1", "to be or not to be, that is the question", "ichliebedichsosehr",
		},
		Predictable: {"123456789012345678", "P@ssw0rd12345678", "iloveyou12345678", "1qaz2wsx3edc4rfv", "monkey dragon 123", "passwordqwerty123", "sunshine princess", "january2026february"},
	} {
		for _, password := range passwords {
			err := Validate(password, ada)
			if got := code(t, err); got != want {
				t.Errorf("%q: %q, want %q", password, got, want)
			}
			if err != nil && len(password) > 3 && strings.Contains(err.Error(), password) {
				t.Errorf("%q is repeated in the answer", password)
			}
		}
	}
}

func TestEightCharactersSufficeWithASecondFactor(t *testing.T) {
	second := Context{Personal: ada.Personal, SecondFactor: true}
	for password, want := range map[string]Code{
		"x7Gk2pQ9": "", "tulip&gnome9": "", "x7Gk2pQ": TooShort, "password": Predictable, "12345678": Predictable, "aaaaaaaa": Repeated, "okafor99": Personal, "qwertyui": Predictable, "P@ssw0rd": Predictable,
		"zebra kettle violin moss": "",
	} {
		if got := code(t, Validate(password, second)); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
		if got := code(t, Validate(password, ada)); len(password) < 15 && got != TooShort {
			t.Errorf("%q alone: %q", password, got)
		}
	}
}

func TestTheListOfCommonPasswordsIsInOrder(t *testing.T) {
	list := common()
	if len(list) < 250 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("%d entries, sorted: %v", len(list), slices.IsSorted(list))
	}
	for _, entry := range list {
		if bare(entry) != entry || len(entry) < 12 {
			t.Errorf("entry %q", entry)
		}
		if padded := entry + "2026!!!"; len(padded) >= MinLength {
			if got := code(t, Validate(padded, Context{})); got == "" {
				t.Errorf("%q was taken", padded)
			}
		}
	}
}

func TestPeriod(t *testing.T) {
	for text, want := range map[string]string{"abcabcab": "abc", "aaaa": "a", "abab": "ab", "abcab": "abcab", "a": "a", "abcdabc": "abcdabc", "ääbäää": "ääbäää", "日本日本日": "日本"} {
		if got := period(text); got != want {
			t.Errorf("%q repeats %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 40, -1).Draw(t, "text")
		unit := period(text)
		again := strings.Repeat(unit, utf8.RuneCountInString(text)+1)
		if !strings.HasPrefix(again, text) && utf8.ValidString(text) {
			t.Fatalf("%q is no repetition of %q", text, unit)
		}
	})
}

func TestValidateIsTotalAndQuick(t *testing.T) {
	alphabets := []string{"4@8({[<369!1|0$5+7%2aeiostl", "0123456789/.- ", "qwertyasdf", "ёжäö日本語🎉\u0301\u200d ", "\x00\xff\xc3 a", "ab"}
	var slowest time.Duration
	rapid.Check(t, func(t *rapid.T) {
		letters := []rune(rapid.SampledFrom(alphabets).Draw(t, "alphabet"))
		password := rapid.StringOfN(rapid.RuneFrom(letters), 0, 300, -1).Draw(t, "password")
		about := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom(letters), 0, 60, -1), 0, 3).Draw(t, "about")
		started := time.Now()
		code(t, Validate(password, Context{Personal: about, SecondFactor: rapid.Bool().Draw(t, "second factor")}))
		slowest = max(slowest, time.Since(started))
	})
	if slowest > 2*time.Second {
		t.Errorf("took up to %v", slowest)
	}
}

func TestManyAreJudgedAtATime(t *testing.T) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for _, password := range []string{"zebra kettle violin moss", "P@ssw0rd12345678 in 2026", "qwerty 1/2/1999 abcdefgh"} {
				_ = Validate(password, ada)
			}
		})
	}
	wait.Wait()
}

func BenchmarkValidate(b *testing.B) {
	for b.Loop() {
		if err := Validate("zebra kettle violin moss under 7 umbrellas", ada); err != nil {
			b.Fatal(err)
		}
	}
}
