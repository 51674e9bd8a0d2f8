package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/stoacommerce/stoa/platform/money"
)

// The templates: a layout, and for each language a directory with one file a kind, which
// defines "subject", "preview" (the line that mailboxes show beside the subject), "html"
// and "text", and a file words.tmpl with what all of its mails share. A new language is a
// new directory; a test sees to it that nothing is missing there.
//
//go:embed templates
var templates embed.FS

// Brand is in whose name and looks a mail is written.
type Brand struct {
	Name    string // the store's, or the platform's
	URL     string // its shop, or site
	LogoURL string // a picture at most 48 pixels high; the name is shown without one
	Color   string // "#rrggbb", of the bar and the button
	Email   string // where answers go; may be empty
	Imprint string // one line at the very end: company and address
}

// plainColor is the colour of brands without a usable one of their own.
const plainColor = "#1f2937"

// view is what a template sees.
type view struct {
	Data   Data
	Brand  Brand
	Locale string // as asked for, for money and dates
	Lang   string // the language that the mail is written in
}

// edition is the templates of one language, ready to run.
type edition struct {
	tag  language.Tag
	html map[Kind]*htmltemplate.Template
	text map[Kind]*texttemplate.Template
}

// editions are the languages. The first is English, which all others fall back to.
var editions = sync.OnceValues(load)

// Render writes the mail that data asks for, in the language nearest to locale. The
// recipient is left to the caller.
func Render(locale string, brand Brand, data Data) (Message, error) {
	all, err := editions()
	if err != nil {
		return Message{}, err
	}
	kind := data.Kind()
	e := choose(all, locale)
	if e.html[kind] == nil {
		return Message{}, fmt.Errorf("%w: no template for %q", ErrPermanent, kind)
	}
	v := view{data, brand.tidy(), locale, e.tag.String()}
	var subject, text, html bytes.Buffer
	for _, part := range []struct {
		run func() error
	}{
		{func() error { return e.text[kind].ExecuteTemplate(&subject, "subject", v) }},
		{func() error { return e.text[kind].ExecuteTemplate(&text, "layout", v) }},
		{func() error { return e.html[kind].ExecuteTemplate(&html, "layout", v) }},
	} {
		if err := part.run(); err != nil {
			return Message{}, fmt.Errorf("%w: render %s in %s: %w", ErrPermanent, kind, v.Lang, err)
		}
	}
	return Message{
		Kind: kind, FromName: v.Brand.Name, ReplyTo: v.Brand.Email,
		Subject: line(subject.String()), Text: paragraphs(printable(text.String())), HTML: printable(html.String()),
	}, nil
}

// Languages are the languages that mails are written in, English first.
func Languages() ([]string, error) {
	all, err := editions()
	var out []string
	for _, e := range all {
		out = append(out, e.tag.String())
	}
	return out, err
}

// tidy drops what of a brand cannot be used.
func (b Brand) tidy() Brand {
	b.Name = shorten(line(b.Name), 80)
	if !hexColor.MatchString(b.Color) {
		b.Color = plainColor
	}
	if !webURL(b.LogoURL) {
		b.LogoURL = ""
	}
	if !webURL(b.URL) {
		b.URL = ""
	}
	if !ValidAddress(b.Email) {
		b.Email = ""
	}
	return b
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// OnColor is black or white, whichever is read more easily on the brand's colour: the
// one with the higher contrast as WCAG reckons it, whose border lies at a luminance of 0.179.
func (b Brand) OnColor() string {
	n, _ := strconv.ParseUint(b.Color[1:], 16, 32)
	luminance := 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
	if luminance > 0.179 {
		return "#111111"
	}
	return "#ffffff"
}

// linear is the light of one channel of a colour, nearly as sRGB has it.
func linear(channel uint64) float64 {
	c := float64(channel&0xff) / 255
	return c * (c*(c*0.305306011+0.682171111) + 0.012522878)
}

// choose finds the edition nearest to a locale.
func choose(all []*edition, locale string) *edition {
	tags := make([]language.Tag, len(all))
	for i, e := range all {
		tags[i] = e.tag
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), locale)
	return all[i]
}

// load reads all templates.
func load() ([]*edition, error) {
	entries, err := fs.ReadDir(templates, "templates")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	var out []*edition
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		e, err := loadEdition(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("mail templates: %w", err)
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b *edition) int {
		switch {
		case a.tag == language.English:
			return -1
		case b.tag == language.English:
			return 1
		}
		return 0
	})
	return out, nil
}

// loadEdition reads one language's templates.
func loadEdition(lang string) (*edition, error) {
	tag, err := language.Parse(lang)
	if err != nil {
		return nil, fmt.Errorf("directory %q: %w", lang, err)
	}
	e := &edition{tag, map[Kind]*htmltemplate.Template{}, map[Kind]*texttemplate.Template{}}
	for kind := range decoders {
		files := []string{path.Join("templates", lang, "words.tmpl"), path.Join("templates", lang, string(kind)+".tmpl")}
		if e.html[kind], err = htmltemplate.New("").Funcs(htmlFuncs).ParseFS(templates, append(files, "templates/layout.html.tmpl")...); err != nil {
			return nil, err
		}
		if e.text[kind], err = texttemplate.New("").Funcs(textFuncs).ParseFS(templates, append(files, "templates/layout.txt.tmpl")...); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// textFuncs and htmlFuncs are what templates can call.
var (
	textFuncs = texttemplate.FuncMap(functions)
	htmlFuncs = htmltemplate.FuncMap(functions)
)

var functions = map[string]any{
	"money": func(m money.Money, locale string) string { return m.Format(locale) },
	"date":  func(t time.Time, layout string) string { return t.UTC().Format(layout) },
	"line":  line,
	"greet": greet,
	"mask":  mask,
	"host":  host,
	"list":  func(items ...any) []any { return items },
	"lines": func(a Address) []string { return a.lines() },
}

// lines is an address as it stands on a parcel.
func (a Address) lines() []string {
	place := strings.TrimSpace(a.PostalCode + " " + a.City)
	if a.Region != "" {
		place = strings.TrimPrefix(place+", "+a.Region, ", ")
	}
	var out []string
	for _, l := range []string{a.Name, a.Company, a.Line1, a.Line2, place, a.Country} {
		if l = line(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// line is text in one line, without control characters.
func line(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// printable is text of several lines without control characters. What people typed can
// hold any, and a terminal that shows the mail must not obey them.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// shorten cuts text to n characters.
func shorten(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:n-1])) + "…"
}

// greet is a name to greet somebody by, or nothing when it does not look like one:
// anybody can enter any name with anybody's address, and must not get advertisements
// delivered in a shop's name.
func greet(name string) string {
	name = line(name)
	if strings.ContainsAny(name, ":/@<>\\") || strings.Contains(strings.ToLower(name), "www") || dotted.MatchString(name) || utf8.RuneCountInString(name) > 40 {
		return ""
	}
	return name
}

var dotted = regexp.MustCompile(`\pL\.\pL{2,}`)

// mask leaves out the middle of an address: "a…e@example.com".
func mask(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return "…"
	}
	local := []rune(address[:at])
	if len(local) < 3 {
		return "…" + address[at:]
	}
	return string(local[0]) + "…" + string(local[len(local)-1]) + address[at:]
}

// host is the host of a URL, for showing where a link leads.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// webURL says whether raw is an absolute web address.
func webURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// paragraphs tidies rendered text: no blanks at the ends of lines, no more than one
// empty line in a row.
func paragraphs(text string) string {
	var out []string
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, " \t\r\n")
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, l)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
}
