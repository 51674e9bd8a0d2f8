package money

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		want           int64
	}{
		{"1,299.00", "EUR", 129900}, {"12.5", "EUR", 1250}, {"12", "EUR", 1200}, {" 0.05 ", "EUR", 5}, {"-3", "EUR", -300}, {"+3.1", "EUR", 310},
		{".5", "EUR", 50}, {"1,234,567.89", "USD", 123456789}, {"12.500", "EUR", 1250}, {"007", "EUR", 700},
		{"1299", "JPY", 1299}, {"1299.00", "JPY", 1299}, {"1.234", "KWD", 1234}, {"-0", "EUR", 0},
		{"92233720368547758.07", "EUR", math.MaxInt64}, {"-92233720368547758.08", "EUR", math.MinInt64},
	} {
		if got, err := Parse(c.text, c.currency); err != nil || got != New(c.want, c.currency) {
			t.Errorf("%q %s: %v, %v", c.text, c.currency, got, err)
		}
	}
	for _, c := range []struct {
		text, currency string
		want           error
	}{
		{"12.555", "EUR", ErrPrecision}, {"0.5", "JPY", ErrPrecision}, {"1.0001", "KWD", ErrPrecision},
		{"", "EUR", ErrSyntax}, {"-", "EUR", ErrSyntax}, {".", "EUR", ErrSyntax}, {"1.", "EUR", ErrSyntax}, {"12,50", "EUR", ErrSyntax}, {"1,2345", "EUR", ErrSyntax},
		{",100", "EUR", ErrSyntax}, {"1.2.3", "EUR", ErrSyntax}, {"1e3", "EUR", ErrSyntax}, {"--1", "EUR", ErrSyntax}, {"€5", "EUR", ErrSyntax}, {"0x10", "EUR", ErrSyntax},
		{"1.000,00", "EUR", ErrSyntax}, {"١٢", "EUR", ErrSyntax}, {"1 000", "EUR", ErrSyntax}, {"NaN", "EUR", ErrSyntax}, {"Inf", "EUR", ErrSyntax},
		{"92233720368547758.08", "EUR", ErrOverflow}, {strings.Repeat("9", 400), "EUR", ErrOverflow}, {"1", "EURO", ErrUnknownCurrency},
	} {
		if got, err := Parse(c.text, c.currency); !errors.Is(err, c.want) {
			t.Errorf("%q %s: %v, %v; want %v", c.text, c.currency, got, err, c.want)
		}
	}
}

func TestParseReadsBackWhatDecimalWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New(anyAmount().Draw(t, "amount"), rapid.SampledFrom(Currencies()).Draw(t, "currency"))
		back, err := Parse(m.Decimal(), m.Currency)
		if err != nil || back != m {
			t.Fatalf("%v was written %q and read %v, %v", m, m.Decimal(), back, err)
		}
	})
}

func TestParseNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+]?[0-9,.]{0,30}`)).Draw(t, "text")
		m, err := Parse(text, "EUR")
		if err == nil && strings.ContainsFunc(m.Decimal(), func(r rune) bool { return !strings.ContainsRune("-.0123456789", r) }) {
			t.Fatalf("%q gave %v", text, m)
		}
	})
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		locale, currency string
		amount           int64
		want             string
	}{
		{"en", "EUR", 1250, "€12.50"},
		{"en", "USD", 123456789, "$1,234,567.89"},
		{"en-US", "USD", -5, "-$0.05"},
		{"en", "JPY", 1299, "¥1,299"},
		{"en", "KWD", 12345, "KWD 12.345"},
		{"en-GB", "GBP", 100, "£1.00"},
		{"en", "MRU", 1250, "MRU 12.50"},
		{"de", "EUR", 1250, "12,50 €"},
		{"de-DE", "EUR", -123456, "-1.234,56 €"},
		{"de-AT", "EUR", 1250, "€ 12,50"},
		{"de-CH", "CHF", 123456, "CHF 1’234.56"},
		{"fr", "EUR", 123456, "1 234,56 €"},
		{"fr", "USD", 1250, "12,50 $US"},
		{"nl", "EUR", 1250, "€ 12,50"},
		{"es", "EUR", 1250, "12,50 €"},
		{"es-MX", "MXN", 1250, "$12.50"},
		{"pt-BR", "BRL", 1250, "R$ 12,50"},
		{"pt-PT", "EUR", 1250, "12,50 €"},
		{"sv", "SEK", 1250, "12,50 kr"},
		{"pl", "PLN", 1250, "12,50 zł"},
		{"ja", "JPY", 1299, "￥1,299"},
		{"hi", "INR", 12345678, "₹1,23,456.78"},
		{"fa", "EUR", 1205, "۱۲٫۰۵ €"},
		{"", "EUR", 1250, "€12.50"},
		{"not a locale!", "EUR", 1250, "€12.50"},
		{"en", "EUR", math.MinInt64, "-€92,233,720,368,547,758.08"},
	} {
		got := New(c.amount, c.currency).Format(c.locale)
		if plain := strings.ReplaceAll(got, nbsp, " "); plain != c.want {
			t.Errorf("%d %s in %q: %q (%+q), want %q", c.amount, c.currency, c.locale, got, got, c.want)
		}
		if strings.Contains(got, " ") {
			t.Errorf("%q can break at a line's end", got)
		}
	}
}

func TestFormatRemembersABoundedNumberOfLocales(t *testing.T) {
	for i := range 3 * maxStyles {
		locale := "x" + strings.Repeat("y", i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i/26)
		if got := New(1250, "EUR").Format(locale); !strings.Contains(got, "12.50") {
			t.Fatalf("%q: %q", locale, got)
		}
	}
	styles.RLock()
	defer styles.RUnlock()
	if len(styles.byLocale) > maxStyles {
		t.Errorf("%d locales remembered", len(styles.byLocale))
	}
}

func BenchmarkFormat(b *testing.B) {
	for b.Loop() {
		New(129900, "EUR").Format("de")
	}
}
