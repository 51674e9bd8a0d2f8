package documents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/typeset"
)

func testFonts(t testing.TB) *typeset.Fonts {
	t.Helper()
	fonts, err := typeset.OpenFonts("/usr/share/fonts")
	if err != nil {
		t.Fatal(err)
	}
	return fonts
}

// readBack is the text of a PDF, without spaces and marks of direction.
func readBack(t testing.TB, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian's poppler-utils): %v", err)
	}
	return closed(string(out))
}

// closed is a text without spaces and marks of direction.
func closed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFC.String(text))
}

func eur(n int64) money.Money { return money.New(n, "EUR") }

// sample is an invoice of two things, one of which the buyer owes the tax of.
func sample(locale, seller, buyer, thing string) Content {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	vat := []Tax{{Name: "VAT", Jurisdiction: "DE", Percentage: "19", Taxable: eur(3360), Amount: eur(638), Reason: "taxed"}}
	owed := []Tax{{Name: "VAT", Jurisdiction: "FR", Percentage: "0", Taxable: eur(1000), Amount: eur(0), Reason: pricing.ReverseCharge}}
	return Content{
		Kind: Invoice, Number: "INV-2026-0042", IssuedAt: at, Locale: locale, OrderNumber: "#1001", OrderedAt: at.AddDate(0, 0, -1),
		Seller: Seller{
			Address: &address.Address{Name: seller, Line1: "Hafenstraße 1", PostalCode: "20457", City: "Hamburg", Country: "DE"},
			TaxID:   "DE123456789", Registration: "Amtsgericht Hamburg HRB 1", Email: "shop@example.com", Website: "https://example.com",
		},
		Buyer:  &address.Address{Name: buyer, Company: "Example Ltd", Line1: "1 Sample Street", City: "Springfield", Region: "IL", PostalCode: "62701", Country: "US"},
		ShipTo: &address.Address{Name: buyer, Line1: "2 Other Street", City: "Berlin", PostalCode: "10115", Country: "DE", Phone: "+49 30 123456"},
		Email:  "ada@example.com", BuyerID: "FR12345678901", TaxIncluded: true, Method: "Standard", Paid: true, Footer: "IBAN DE00 0000 0000 0000 0000 00",
		Lines: []Line{
			{Title: thing, Variant: "XL", SKU: "SKU-1", Quantity: 2, Unit: eur(1999), Total: eur(3998), Taxes: vat},
			{Title: "Sample", Quantity: 1, Unit: eur(1000), Total: eur(1000), Taxes: owed},
		},
		Subtotal: eur(4998), Discount: eur(500), Shipping: eur(490), Tax: eur(638), Total: eur(4988), Taxes: vat,
	}
}

func TestDocumentsSayWhatTheyHaveTo(t *testing.T) {
	t.Parallel()
	fonts := testFonts(t)
	for locale, names := range map[string][]string{
		"en": {"Clay & Linen", "Ada Example", "Amphora, glazed"},
		"de": {"Nachtfähre", "Ärztin Öß Beispiel", "Röstkaffee »Sturm«"},
		"fr": {"L’Œuvre", "Ada Exemple", "Thé à la menthe"},
		"es": {"Año Nuevo", "Ada Ejemplo", "Jamón ibérico"},
		"ar": {"طين وكتان", "آدا مثال", "جرة مزججة كبيرة"},
		"hi": {"मिट्टी और लिनन", "अदा उदाहरण", "चमकदार सुराही"},
		"ja": {"土と麻", "髙橋 花子", "釉薬の壺 大"},
	} {
		t.Run(locale, func(t *testing.T) {
			t.Parallel()
			w := wordsFor(locale)
			c := sample(locale, names[0], names[1], names[2])
			wanted := append(slices.Clone(names), "INV-2026-0042", "#1001", "DE123456789", "FR12345678901", "Hafenstraße 1", "Amtsgericht Hamburg HRB 1", "shop@example.com",
				"Example Ltd", "1 Sample Street", "2 Other Street", "+49 30 123456", "XL · SKU-1", "Standard", "IBAN",
				w.text("invoice"), w.text("buyer"), w.text("ship_to"), w.text("total"), w.text("reverse_charge"), w.text("tax_included"), w.text("paid"), w.country("US"),
				w.number(2), w.percent("19"))
			if locale != "ar" { // an extractor turns signs beside numbers its own way
				wanted = append(wanted, w.date(c.IssuedAt), w.date(c.OrderedAt), c.Total.Format(locale), eur(1999).Format(locale), eur(3998).Format(locale), eur(638).Format(locale))
			}
			judge(t, fonts, c, wanted, []string{w.text("credit_note")})

			c.Kind, c.Number, c.Corrects, c.Reason = CreditNote, "CN-7", &Reference{"INV-2026-0042", c.IssuedAt}, names[2]
			judge(t, fonts, c, []string{w.text("credit_note"), "CN-7", w.text("corrects"), "INV-2026-0042", w.text("reason"), w.text("total_credited")}, []string{w.text("paid")})

			c.Kind, c.Number, c.Corrects, c.Tracking, c.Note = PackingSlip, "", nil, &Tracking{"DHL", "JJD0001"}, "Please ring"
			judge(t, fonts, c, []string{w.text("packing_slip"), names[2], "DHL", "JJD0001", "Please ring"}, []string{w.text("total"), "€", eur(1999).Format(locale)})
		})
	}
}

func judge(t *testing.T, fonts *typeset.Fonts, c Content, wanted, unwanted []string) {
	t.Helper()
	pdf, err := layOut(fonts, c)
	if err != nil {
		t.Fatal(err)
	}
	found := readBack(t, pdf)
	for _, text := range wanted {
		if !strings.Contains(found, closed(text)) {
			t.Errorf("the %s does not say %q:\n%s", c.Kind, text, found)
		}
	}
	for _, text := range unwanted {
		if strings.Contains(found, closed(text)) {
			t.Errorf("the %s says %q", c.Kind, text)
		}
	}
}

func TestLongDocuments(t *testing.T) {
	t.Parallel()
	fonts := testFonts(t)
	c := sample("en", "Clay & Linen", "Ada Example", "Amphora")
	line := c.Lines[0]
	c.Lines = nil
	for i := range 120 {
		line.Title = fmt.Sprintf("Thing-%d", i)
		c.Lines = append(c.Lines, line)
	}
	c.Lines[60].Title = strings.Repeat("A very long title that takes several lines. ", 12)
	pdf, err := layOut(fonts, c)
	if err != nil {
		t.Fatal(err)
	}
	found := readBack(t, pdf)
	pages := strings.Count(found, closed("Quantity"))
	if pages < 4 || strings.Count(found, "IBAN") != pages || !strings.Contains(found, closed(fmt.Sprintf("Page %d / %d", pages, pages))) {
		t.Errorf("%d headings, %d feet", pages, strings.Count(found, "IBAN"))
	}
	for i := range 120 {
		if i != 60 && !strings.Contains(found, fmt.Sprintf("Thing-%d", i)) {
			t.Errorf("line %d is missing", i)
		}
	}
}

// Every character that no font has is reported, each with its place.
func TestMissingCharacters(t *testing.T) {
	t.Parallel()
	c := sample("en", "Clay & Linen", "Ada \U0001F389", "Amphora \uE000")
	_, err := layOut(testFonts(t), c)
	p := problem.As(err)
	if p == nil || p.Code != "character_missing" {
		t.Fatal(err)
	}
	places := []string{}
	for _, fault := range p.Faults {
		places = append(places, fault.Pointer)
		if !strings.Contains(fault.Detail, "U+1F389") && !strings.Contains(fault.Detail, "U+E000") {
			t.Errorf("%s: %s", fault.Pointer, fault.Detail)
		}
	}
	if want := []string{"/buyer", "/ship_to", "/lines/0/title"}; !slices.Equal(places, want) {
		t.Errorf("places %v, want %v", places, want)
	}
}

// Each language has each text, and each text can be set.
func TestTexts(t *testing.T) {
	t.Parallel()
	d := typeset.New(testFonts(t), typeset.About{Language: "en"})
	for _, language := range languages {
		for key := range texts["en"] {
			text := texts[language][key]
			if text == "" {
				t.Errorf("%s has no %s", language, key)
			}
			if _, err := d.Set(text, 400, plain); err != nil {
				t.Errorf("%s of %s: %v", key, language, err)
			}
		}
		if len(texts[language]) != len(texts["en"]) {
			t.Errorf("%s has %d texts, English %d", language, len(texts[language]), len(texts["en"]))
		}
	}
	for locale, want := range map[string]string{"en": "en", "de-CH": "de", "ar-EG": "ar", "pt-BR": "en", "": "en", "nonsense": "en", "zh": "en", "ja-JP": "ja"} {
		if w := wordsFor(locale); w.language != want || w.text("invoice") == "" {
			t.Errorf("%q is written in %s, want %s", locale, w.language, want)
		}
	}
}
