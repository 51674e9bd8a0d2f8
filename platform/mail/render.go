package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"reflect"
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

	"github.com/stoacommerce/stoa/platform/locales"
)

// The templates: a frame, and for each language a directory with its words, words.tmpl, which
// the frame and the variables take, and one file a kind, whose first line is the subject and
// whose rest the content: see Template. In a language that has words alone mails are written by
// what merchants wrote. A new language is a new directory; tests see to it that nothing is
// missing there.
//
//go:embed templates
var templates embed.FS

// Brand is in whose name and looks a mail is written.
type Brand struct {
	Name    string `json:"store_name" doc:"The store’s name."`
	URL     string `json:"store_url" doc:"The shop."`
	Color   string // "#rrggbb", of the bar and the button
	Email   string `json:"store_email" doc:"Where questions go; may be empty."`
	Imprint string // one line at the very end: company and address
	Logo    Logo   // in place of the name above the content; of no URL for none

	Zone *time.Location // whose clocks tell when something happened; UTC when nil
}

// Logo is the picture that a store is known by.
type Logo struct {
	URL           string
	Width, Height int // as it is shown
}

// The room that a logo has in a mail.
const (
	logoWidth  = 200
	logoHeight = 56
)

// within is the logo as large as its room lets it be.
func (l Logo) within(width, height int) Logo {
	if l.Width > width {
		l.Width, l.Height = width, max(l.Height*width/l.Width, 1)
	}
	if l.Height > height {
		l.Width, l.Height = max(l.Width*height/l.Height, 1), height
	}
	return l
}

// plainColor is the colour of brands without a usable one of their own.
const plainColor = "#1f2937"

// view is what the frame sees.
type view struct {
	Brand   Brand
	Lang    string // the language that the mail is written in
	Dir     string // how that is written: ltr or rtl
	Subject string
	Opening string
	HTML    htmltemplate.HTML
	Text    string
}

// edition is what there is of one language.
type edition struct {
	tag      language.Tag
	words    *texttemplate.Template // with the frame of texts
	frame    *htmltemplate.Template // of HTML
	defaults map[Kind]Template      // nil where there are words alone
}

// editions are the languages. The first is English, which all others fall back to.
var editions = sync.OnceValue(load)

// Default is what mails of a kind say in the language nearest to a locale unless a store has
// them say something else, and whether that is the locale's language.
func Default(kind Kind, locale string) (t Template, spoken bool) {
	e, spoken := choose(locale)
	if e.defaults == nil {
		e, spoken = editions()[0], false
	}
	return e.defaults[kind], spoken
}

// Render writes the mail that data asks for by the default of its kind. The recipient is left
// to the caller.
func Render(locale string, brand Brand, data Data) (Message, error) {
	t, _ := Default(data.Kind(), locale)
	return t.Render(locale, brand, data)
}

// Render writes the mail that data asks for, with money as a locale has it. The recipient is
// left to the caller.
func (t Template) Render(locale string, brand Brand, data Data) (Message, error) {
	e, _ := choose(t.Locale)
	brand = brand.tidy()
	tell := teller{e, locale, brand.Zone}
	values := tell.values(reflect.ValueOf(data))
	maps.Copy(values, tell.values(reflect.ValueOf(brand)))
	subject, failed := fill(t.Subject, values, asIs)
	source, err := fill(t.Body, values, escaped)
	if subject = shorten(line(subject), maxSubjectRunes); subject == "" && failed == nil {
		failed = errNoSubject
	}
	if err = errors.Join(failed, err); err != nil {
		return Message{}, fmt.Errorf("%w: write %s in %s: %w", ErrPermanent, data.Kind(), t.Locale, err)
	}
	body, err := read(printable(source))
	if err != nil {
		return Message{}, fmt.Errorf("%w: read %s in %s: %w", ErrPermanent, data.Kind(), t.Locale, err)
	}
	v := view{Brand: brand, Lang: t.Locale, Dir: locales.Direction(t.Locale), Subject: subject, Opening: body.opening(), Text: body.text()}
	styled, err := body.html(brand, v.Dir)
	v.HTML = htmltemplate.HTML(styled) //nolint:gosec // cleaned and rendered anew
	var text, html bytes.Buffer
	err = errors.Join(err, e.words.ExecuteTemplate(&text, "layout", v), e.frame.ExecuteTemplate(&html, "layout", v))
	if err != nil {
		return Message{}, fmt.Errorf("%w: frame %s in %s: %w", ErrPermanent, data.Kind(), t.Locale, err)
	}
	return Message{Kind: data.Kind(), FromName: brand.Name, ReplyTo: brand.Email, Subject: v.Subject, Text: paragraphs(printable(text.String())), HTML: printable(html.String())}, nil
}

// Languages are the languages that all kinds of mail have a default in, English first.
func Languages() []string {
	var out []string
	for _, e := range editions() {
		if e.defaults != nil {
			out = append(out, e.tag.String())
		}
	}
	return out
}

// tidy drops what of a brand cannot be used.
func (b Brand) tidy() Brand {
	b.Name, b.Imprint = shorten(line(b.Name), 80), line(b.Imprint)
	if !hexColor.MatchString(b.Color) {
		b.Color = plainColor
	}
	if !webURL(b.URL) {
		b.URL = ""
	}
	if !ValidAddress(b.Email) {
		b.Email = ""
	}
	if b.Logo = b.Logo.within(logoWidth, logoHeight); !webURL(b.Logo.URL) || b.Logo.Width <= 0 || b.Logo.Height <= 0 {
		b.Logo = Logo{}
	}
	if b.Zone == nil {
		b.Zone = time.UTC
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

// choose finds the edition nearest to a locale, and says whether it is of its language.
func choose(locale string) (*edition, bool) {
	_, i, sure := matcher().Match(language.Make(locale))
	return editions()[i], sure > language.No
}

// matcher tells which of the editions is nearest.
var matcher = sync.OnceValue(func() language.Matcher {
	var tags []language.Tag
	for _, e := range editions() {
		tags = append(tags, e.tag)
	}
	return language.NewMatcher(tags)
})

// load reads all editions. That they can be read is tested: they are part of the program.
func load() []*edition {
	entries, err := fs.ReadDir(templates, "templates")
	if err != nil {
		panic("mail: " + err.Error())
	}
	var out []*edition
	for _, entry := range entries {
		if entry.IsDir() {
			out = append(out, loadEdition(entry.Name()))
		}
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
	return out
}

// loadEdition reads what there is of one language.
func loadEdition(lang string) *edition {
	words := path.Join("templates", lang, "words.tmpl")
	e := &edition{
		tag:   language.MustParse(lang),
		words: texttemplate.Must(texttemplate.ParseFS(templates, words, "templates/layout.txt.tmpl")),
		frame: htmltemplate.Must(htmltemplate.ParseFS(templates, words, "templates/layout.html.tmpl")),
	}
	files, err := fs.Glob(templates, path.Join("templates", lang, "*.html"))
	if err != nil || len(files) == 0 {
		return e
	}
	e.defaults = map[Kind]Template{}
	for kind := range kinds {
		source, err := templates.ReadFile(path.Join("templates", lang, string(kind)+".html"))
		if err != nil {
			panic("mail: " + err.Error())
		}
		subject, body, _ := strings.Cut(string(source), "\n\n")
		e.defaults[kind] = Template{lang, subject, body}
	}
	return e
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
