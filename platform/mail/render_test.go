package mail

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stoacommerce/stoa/platform/money"
)

var (
	shop = Brand{Name: "Kiln & Clay", URL: "https://kiln.example.com", Color: "#b4532a", Email: "hello@kiln.example.com", Imprint: "Kiln & Clay, 1 Potters Lane"}
	at   = time.Date(2026, 3, 9, 17, 4, 0, 0, time.UTC)
	link = "https://kiln.example.com/go?token=abc&x=1"
	eur  = func(n int64) money.Money { return money.New(n, "EUR") }
	home = Address{Name: "Ada Okafor", Line1: "7 Quay St", PostalCode: "D02", City: "Dublin", Country: "Ireland"}
)

// cases are mails of every kind, with what must stand in them in any language.
var cases = []struct {
	data  Data
	holds []string
}{
	{AccountVerifyEmail{link, 24}, []string{link, "24"}},
	{CustomerKnownSignup{link, at, "203.0.113.9"}, []string{link, "203.0.113.9", "2026"}},
	{AccountKnownSignup{link, "https://kiln.example.com/reset", at, "203.0.113.9"}, []string{link, "https://kiln.example.com/reset", "203.0.113.9", "2026"}},
	{PasswordReset{link, 30, "203.0.113.9"}, []string{link, "30", "203.0.113.9"}},
	{PasswordChanged{link, at, "203.0.113.9"}, []string{link, "203.0.113.9", "17:04"}},
	{EmailChanged{"adaokafor@example.com", at, "203.0.113.9"}, []string{"a…r@example.com", "203.0.113.9", "hello@kiln.example.com"}},
	{EmailChangeConfirm{link, 1}, []string{link}},
	{EmailChangeRequested{"adaokafor@example.com", link, at, "203.0.113.9"}, []string{"a…r@example.com", "203.0.113.9", link}},
	{TOTPChanged{TOTPEnabled, link, at, "203.0.113.9"}, []string{link, "203.0.113.9"}},
	{TOTPChanged{TOTPDisabled, link, at, ""}, []string{link}},
	{PasskeyChanged{"Telephone", false, link, at, "203.0.113.9"}, []string{link, "Telephone", "203.0.113.9"}},
	{PasskeyChanged{"Telephone", true, link, at, ""}, []string{link, "Telephone"}},
	{TOTPChanged{TOTPCodesRenewed, link, at, ""}, []string{link}},
	{TOTPChanged{TOTPCodeUsed, link, at, ""}, []string{link}},
	{StaffInvitation{"ada@example.com", "catalogue", link, 7}, []string{link, "Kiln & Clay", "ada@example.com", "catalogue", "7"}},
	{NewsletterConfirm{link, 48}, []string{link, "48", "Kiln & Clay"}},
	{CustomerVerifyEmail{"Ada", link, 48}, []string{link, "Ada", "48", "Kiln & Clay"}},
	{OrderConfirmation{
		Name: "Ada", Number: "#1001", PlacedAt: at, URL: link,
		Lines:    []Line{{"Stoneware Mug", "Large / Blue", 2, eur(3800)}, {"Bowl", "", 1, eur(2450)}},
		Subtotal: eur(6250), Discount: eur(500), Shipping: eur(490), ShippingMethod: "Parcel", Tax: eur(1000), TaxIncluded: true, Total: eur(6240), Credit: eur(1111), Due: eur(5129),
		ShippingAddress: home, BillingAddress: Address{Name: "Okafor Ltd", Line1: "Box 4", City: "Cork", Region: "Munster", Country: "Ireland"},
	}, []string{link, "#1001", "Stoneware Mug", "Large / Blue", "Bowl", "38", "62", "11", "51", "Parcel", "10", "7 Quay St", "D02 Dublin", "Okafor Ltd", "Cork, Munster"}},
	{OrderConfirmation{Number: "#1002", PlacedAt: at, URL: link, Subtotal: eur(100), Shipping: eur(0), Tax: eur(20), Total: eur(120), Test: true}, []string{link, "#1002", "0"}},
	{OrderPayment{"Ada", "#1001", link, eur(1990)}, []string{link, "#1001", "19"}},
	{OrderRefunded{"Ada", "#1001", link, eur(1250), true, "Broken on arrival"}, []string{link, "#1001", "Broken on arrival"}},
	{CartAbandoned{[]Line{{"Bowl", "Blue", 3, eur(9600)}}, link, "https://kiln.example.com/end"}, []string{link, "https://kiln.example.com/end", "Bowl", "Blue"}},
	{DraftOrder{"As we said on the telephone.", []Line{{"Bowl", "Blue", 3, eur(9600)}}, eur(600), eur(9000), false, link, at}, []string{link, "Bowl", "Blue", "As we said on the telephone.", "90", "2026"}},
	{DraftOrder{"", []Line{{"Bowl", "", 3, eur(9600)}}, eur(0), eur(9600), true, link, at}, []string{link, "96"}},
	{OrderReturn{"Ada", "#1001", link, "requested", []Item{{"Bowl", "Blue", 3}}, ""}, []string{link, "#1001", "Bowl", "Blue"}},
	{OrderReturn{"Ada", "#1001", link, "approved", []Item{{"Bowl", "", 3}}, "Send it to Pot Street."}, []string{link, "#1001", "Bowl", "Send it to Pot Street."}},
	{OrderReturn{"Ada", "#1001", link, "declined", []Item{{"Bowl", "", 3}}, "It was worn."}, []string{link, "#1001", "It was worn."}},
	{OrderReturn{"Ada", "#1001", link, "received", []Item{{"Bowl", "", 3}}, ""}, []string{link, "#1001"}},
	{OrderReturn{"Ada", "#1001", link, "closed", []Item{{"Bowl", "", 3}}, ""}, []string{link, "#1001"}},
	{OrderReturn{"Ada", "#1001", link, "cancelled", []Item{{"Bowl", "", 3}}, ""}, []string{link, "#1001"}},
	{OrderShipped{"Ada", "#1001", link, []Item{{"Bowl", "", 3}}, "Northpost", "NP123", "https://track.example.com/NP123", home}, []string{link, "#1001", "Bowl", "Northpost", "NP123", "https://track.example.com/NP123", "7 Quay St"}},
	{WebhookDisabled{"https://hooks.example.com/in", at, "The host name does not resolve.", false, link}, []string{link, "https://hooks.example.com/in", "The host name does not resolve."}},
	{PaymentFailed{"#1001", nil, eur(1990), link}, []string{link, "#1001", "19"}},
	{PaymentFailed{"", []Line{{"Bowl", "Blue", 3, eur(9600)}}, eur(9600), link}, []string{link, "Bowl", "Blue"}},
	{StockLow{[]StockItem{{"Bowl, Blue", "B-1", 2}, {"Mug", "", 0}}, 3}, []string{"Kiln & Clay", "Bowl, Blue", "B-1", "2", "Mug", "3"}},
	{StockAlertConfirm{"Bowl, Blue", link}, []string{link, "Bowl, Blue"}},
	{BackInStock{"Bowl, Blue", link}, []string{link, "Bowl, Blue"}},
	{DomainFailing{"kiln.example.com", at, false, link}, []string{link, "kiln.example.com", "2026"}},
	{DomainFailing{"kiln.example.com", at, true, link}, []string{link, "kiln.example.com"}},
	{ContactMessage{"Ada", "ada@example.com", "1001", "Is the bowl\nsafe in an oven?"}, []string{"ada@example.com", "1001", "safe in an oven?"}},
	{ContactMessage{"Ada", "ada@example.com", "", "Is it?"}, []string{"ada@example.com", "Is it?"}},
	{WithdrawalReceived{"Ada", "1001", "The bowl alone.", at}, []string{"Ada", "1001", "The bowl alone.", "2026", "17:04"}},
	{WithdrawalReceived{"Ada", "1001", "", at}, []string{"Ada", "1001", "2026"}},
	{WithdrawalDeclared{"Ada", "ada@example.com", "1001", "The bowl alone.", at, true}, []string{"ada@example.com", "1001", "The bowl alone.", "2026"}},
	{WithdrawalDeclared{"Ada", "ada@example.com", "1001", "", at, false}, []string{"ada@example.com", "1001", "2026"}},
	{KeyExpiring{"Warehouse", "sk_live_…aB3x", true, at, link}, []string{link, "Warehouse", "aB3x", "2026"}},
	{WebhookDisabled{"https://hooks.example.com/in", at, "", true, link}, []string{link, "410"}},
}

// western has digits as they are written in most places.
var western = strings.NewReplacer("٠", "0", "١", "1", "٢", "2", "٣", "3", "٤", "4", "٥", "5", "٦", "6", "٧", "7", "٨", "8", "٩", "9")

// render writes a mail that must come out.
func render(t *testing.T, locale string, brand Brand, data Data) Message {
	t.Helper()
	m, err := Render(locale, brand, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// visible is what a reader of an HTML mail sees, and the addresses its links lead to. It
// fails when an element is left open or closed twice.
func visible(t *testing.T, page string) (text string, links []string) {
	t.Helper()
	var open []string
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			if len(open) != 0 {
				t.Errorf("left open: %v", open)
			}
			return out.String(), links
		case html.StartTagToken:
			if !slices.Contains([]string{"meta", "br", "hr", "img"}, token.Data) {
				open = append(open, token.Data)
			}
			for _, a := range token.Attr {
				if a.Key == "href" || a.Key == "src" {
					links = append(links, a.Val)
				}
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("a handler: %v", token)
				}
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("%s closed in %v", token.Data, open)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			out.WriteString(token.Data)
		}
	}
}

func TestEveryKindIsWrittenInEveryLanguage(t *testing.T) {
	languages := Languages()
	if languages[0] != "en" || len(languages) < 2 {
		t.Fatalf("languages %v", languages)
	}
	seen := map[Kind]bool{}
	for _, s := range cases {
		seen[s.data.Kind()] = true
		subjects := map[string]bool{}
		for _, lang := range languages {
			m := render(t, lang, shop, s.data)
			m.To = "ada@example.com"
			if err := m.Validate(); err != nil {
				t.Errorf("%s in %s: %v", s.data.Kind(), lang, err)
			}
			text, links := visible(t, m.HTML)
			m.Text, text = western.Replace(m.Text), western.Replace(text)
			for _, want := range s.holds {
				if !strings.Contains(m.Text, want) || !strings.Contains(text, want) && !slices.Contains(links, want) {
					t.Errorf("%s in %s lacks %q:\n%s\n%s", s.data.Kind(), lang, want, m.Text, text)
				}
			}
			for _, fault := range []string{"<no value>", "%!", "ZgotmplZ", "{{", "\n\n\n", "[]"} {
				if strings.Contains(m.HTML+m.Text+m.Subject, fault) && !(fault == "\n\n\n" && !strings.Contains(m.Text, fault)) {
					t.Errorf("%s in %s has %q:\n%s", s.data.Kind(), lang, fault, m.Text)
				}
			}
			if !strings.Contains(m.HTML, `lang="`+lang+`"`) || !strings.Contains(text, shop.Imprint) || m.FromName != shop.Name || m.ReplyTo != shop.Email || m.Kind != s.data.Kind() {
				t.Errorf("%s in %s: %+v", s.data.Kind(), lang, m)
			}
			subjects[m.Subject] = true
		}
		if len(subjects) != len(languages) {
			t.Errorf("%s has the same subject in several languages: %v", s.data.Kind(), subjects)
		}
	}
	if len(seen) != len(kinds) {
		t.Errorf("%d kinds of %d tried", len(seen), len(kinds))
	}
}

func TestDataTravelsAsJSON(t *testing.T) {
	for _, s := range cases {
		encoded, err := json.Marshal(s.data)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(s.data.Kind(), encoded)
		if err != nil || !reflect.DeepEqual(back, s.data) {
			t.Errorf("%s came back as %+v, %v", s.data.Kind(), back, err)
		}
	}
	if _, err := Decode("newsletter", nil); !errors.Is(err, ErrPermanent) {
		t.Errorf("an unknown kind: %v", err)
	}
	if _, err := Decode(KindPasswordReset, []byte("[]")); !errors.Is(err, ErrPermanent) {
		t.Errorf("other data: %v", err)
	}
}

// typed sets every text within v, however deep, and makes lists one long.
func typed(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type() != reflect.TypeFor[time.Time]() && v.Type().Field(i).Tag.Get("flags") == "" {
				typed(v.Field(i), text)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		typed(v.Index(0), text)
	}
}

func TestNothingThatPeopleWroteBecomesMarkupOrHeaders(t *testing.T) {
	for _, evil := range []string{
		"</title><script>alert(1)</script>\r\nBcc: victim@example.com", `" onload="alert(1)`, "javascript:alert(1)", "data:text/html,<b>x", "{{.Brand}}", "a\x00b\x1b[31m\u2028c", "\xff\xfe",
	} {
		brand := Brand{}
		typed(reflect.ValueOf(&brand).Elem(), evil)
		for _, s := range cases {
			data := reflect.New(reflect.TypeOf(s.data))
			data.Elem().Set(reflect.ValueOf(s.data))
			typed(data.Elem(), evil)
			for _, b := range []Brand{brand, shop} {
				m := render(t, "en", b, data.Elem().Interface().(Data))
				m.To = "ada@example.com"
				if err := m.Validate(); err != nil {
					t.Errorf("%s of %q: %v", s.data.Kind(), evil, err)
				}
				_, links := visible(t, m.HTML)
				if regexp.MustCompile(`(?i)<(script|b)\b`).MatchString(m.HTML) {
					t.Errorf("%s of %q has markup:\n%s", s.data.Kind(), evil, m.HTML)
				}
				for _, l := range links {
					if strings.HasPrefix(strings.ToLower(l), "javascript:") || strings.HasPrefix(strings.ToLower(l), "data:") {
						t.Errorf("%s of %q links to %q", s.data.Kind(), evil, l)
					}
				}
			}
		}
	}
}

func TestNamesThatAdvertiseAreNotGreeted(t *testing.T) {
	for name, want := range map[string]string{
		"Ada": "Ada", "Dr. Ada Okafor": "Dr. Ada Okafor", "J. R. Moe": "J. R. Moe", "Zoë  Ångström": "Zoë Ångström",
		"Win at http://x.example": "", "Visit x.example now": "", "www x": "", "a@b": "", "<b>": "", strings.Repeat("long ", 20): "", "": "",
	} {
		if got := greet(name); got != want {
			t.Errorf("%q is greeted as %q", name, got)
		}
	}
	m := render(t, "en", shop, CustomerVerifyEmail{"Cheap pills at pills.example", link, 1})
	if strings.Contains(m.Text+m.HTML, "pills") || !strings.Contains(m.Text, "Hello,") {
		t.Errorf("an advertisement went out:\n%s", m.Text)
	}
}

func TestLanguageAndMoneyFollowTheLocale(t *testing.T) {
	order := OrderConfirmation{Number: "#1", PlacedAt: at, URL: link, Subtotal: eur(1250), Shipping: eur(0), Tax: eur(0), Total: eur(123450)}
	for locale, want := range map[string]string{"de-AT": "€ 1 234,50", "de": "1.234,50 €", "en-IE": "€1,234.50", "fr": "1 234,50 €", "": "€1,234.50", "nonsense!": "€1,234.50"} {
		m := render(t, locale, shop, order)
		if got := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(m.Text); !strings.Contains(got, want) {
			t.Errorf("%q: no %q in\n%s", locale, want, got)
		}
		if german := strings.Contains(m.Subject, "Bestellung"); german != strings.HasPrefix(locale, "de") {
			t.Errorf("%q: subject %q", locale, m.Subject)
		}
	}
}

// Where there is no default in a language, there may be words for what merchants write.
func TestWordsFollowTheTemplateAndTimesTheStore(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	brand := shop
	brand.Zone = zone
	own := Template{"fr-CA", "x", "<p>{{valid_for}}, {{store_name}}</p>"}
	m, err := own.Render("fr-CA", brand, PasswordReset{URL: link, ValidFor: 90})
	if err != nil || !strings.Contains(m.Text, "90 minutes, Kiln") || !strings.Contains(m.Text, "envoyé automatiquement") || !strings.Contains(m.HTML, `lang="fr-CA"`) {
		t.Errorf("in French: %v\n%s", err, m.Text)
	}
	for _, e := range editions() {
		own := Template{e.tag.String(), "x", "<p>{{at}}</p>"}
		m, err := own.Render("en", brand, PasswordChanged{ResetURL: link, At: at})
		if err != nil || !strings.Contains(m.Text, "18:04") || !strings.Contains(m.Text, "CET") {
			t.Errorf("in %s: %v\n%s", e.tag, err, m.Text)
		}
		for _, words := range []string{"minutes", "hours", "days"} {
			if one, many := e.say(words, 1), e.say(words, 7); one == many || !strings.Contains(many, "7") {
				t.Errorf("in %s: %q, %q", e.tag, one, many)
			}
		}
	}
	if m := render(t, "fr", shop, PasswordReset{URL: link}); m.Subject != "Set a new password" {
		t.Errorf("without a default in French: %s", m.Subject)
	}
}

func TestBrandsAreReadable(t *testing.T) {
	for color, want := range map[string]string{"#000000": "#ffffff", "#ffffff": "#111111", "#ffdd00": "#111111", "#1f2937": "#ffffff", "#b4532a": "#ffffff", "#00ff00": "#111111"} {
		b := Brand{Color: color}.tidy()
		if b.OnColor() != want {
			t.Errorf("on %s stands %s", color, b.OnColor())
		}
		if m := render(t, "en", b, PasswordReset{URL: link}); !strings.Contains(m.HTML, "background:"+color) || !strings.Contains(m.HTML, "color:"+want) {
			t.Errorf("%s is not used", color)
		}
	}
	for _, bad := range []string{"", "red", "#fff", "#12345g", "#123456;x:y"} {
		if got := (Brand{Color: bad}).tidy().Color; got != plainColor {
			t.Errorf("colour %q became %q", bad, got)
		}
	}
	plain := render(t, "en", Brand{Name: "Stoa", URL: "javascript:alert(1)", Email: "no address"}, PasswordReset{URL: link})
	if strings.Contains(plain.HTML, "javascript") || plain.ReplyTo != "" {
		t.Errorf("unusable parts of a brand are used:\n%s", plain.HTML)
	}
	if got := (Brand{Name: strings.Repeat("x", 200) + "\r\nBcc: a@b.example"}).tidy().Name; len([]rune(got)) != 80 {
		t.Errorf("name of %d characters", len([]rune(got)))
	}
}

func TestMailsWearALogo(t *testing.T) {
	wide := shop
	wide.Logo = Logo{URL: "https://kiln.example.com/media/logo.png", Width: 640, Height: 160}
	if m := render(t, "en", wide, PasswordReset{URL: link}); !strings.Contains(m.HTML, `src="https://kiln.example.com/media/logo.png" width="200" height="50" alt="Kiln &amp; Clay"`) || !strings.Contains(m.Text, "Kiln & Clay") {
		t.Errorf("%s", m.HTML)
	}
	for what, logo := range map[string]Logo{"of no size": {URL: wide.Logo.URL}, "elsewhere": {URL: "javascript:alert(1)", Width: 10, Height: 10}} {
		wide.Logo = logo
		if m := render(t, "en", wide, PasswordReset{URL: link}); strings.Contains(m.HTML, "<img") || !strings.Contains(m.HTML, ">Kiln &amp; Clay</a>") {
			t.Errorf("a logo %s: %s", what, m.HTML)
		}
	}
	tall := Logo{URL: wide.URL, Width: 100, Height: 5600}.within(logoWidth, logoHeight)
	if tall.Width != 1 || tall.Height != 56 {
		t.Errorf("%+v", tall)
	}
}

func TestMailsAreWrittenFromTheRight(t *testing.T) {
	m := render(t, "ar-EG", shop, OrderPayment{"Ada", "#1001", link, eur(1990)})
	if !strings.Contains(m.HTML, `<html lang="ar" dir="rtl">`) || !strings.Contains(m.Subject, "طلبك #1001") {
		t.Errorf("%s\n%s", m.Subject, m.HTML)
	}
}

func TestMask(t *testing.T) {
	for address, want := range map[string]string{"ada@example.com": "a…a@example.com", "ab@example.com": "…@example.com", "": "…", "@": "…", "zoë@example.com": "z…ë@example.com"} {
		if got := mask(address); got != want {
			t.Errorf("%q is masked %q", address, got)
		}
	}
}
