package mail

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cbroglie/mustache"
	"golang.org/x/net/html"
)

// Template is what mails of a kind say in a locale: the subject, and the content between the
// frame's head and foot. Both name variables of the kind in double braces, as Mustache has
// it; the content is HTML, of the elements that content knows.
type Template struct {
	Locale  string
	Subject string
	Body    string
}

// Bounds of what a template gives. A mail of more than 100 KB is cut off by mail programs.
const (
	maxSubjectRunes = 100       // within maxSubjectBytes
	maxContent      = 512 << 10 // bytes
	maxNesting      = 8         // sections within each other
)

// Fault is something wrong with a template.
type Fault struct {
	Part string // subject or body_html
	Line int    // zero where it is of no line
	Code string
	Text string
}

// The parts of a template, as the contract calls them.
const (
	PartSubject = "subject"
	PartBody    = "body_html"
)

// Check gives what is wrong with a template of a kind: nothing, if mails can be written by it.
func (t Template) Check(kind Kind) []Fault {
	known := Variables(kind, t.Locale)
	shown := map[string]bool{}
	wrong := checkTags(PartSubject, t.Subject, known, map[string]bool{})
	wrong = append(wrong, checkTags(PartBody, t.Body, known, shown)...)
	wrong = append(wrong, checkElements(t.Body)...)
	if len(wrong) > 0 {
		return wrong
	}
	m, err := t.Render(t.Locale, Brand{Name: "Sample"}, kind.Sample())
	switch {
	case errors.Is(err, errNoSubject):
		return []Fault{{PartSubject, 0, "required", "The subject says nothing."}}
	case err != nil:
		return []Fault{{PartBody, 0, "too_long", "What it gives is too long."}}
	}
	for _, v := range known {
		if v.Required && (!shown[v.Name] || !strings.Contains(m.Text, v.Example)) {
			wrong = append(wrong, Fault{PartBody, 0, "required_variable", fmt.Sprintf("It must always show {{%s}}: %s", v.Name, v.Meaning)})
		}
	}
	return wrong
}

// tagPattern finds the tags of a template that has neither raw values nor other delimiters.
var tagPattern = regexp.MustCompile(`(?s)\{\{(.*?)\}\}`)

// section is one that is open where a tag stands.
type section struct {
	name     string
	inverted bool    // it shows where there is nothing
	at       int     // where it is opened
	knows    []Named // beside what the sections around it know
	text     bool    // it is of a text, which it knows as "."
}

// checkTags holds a part's tags against the variables that there are, and notes in shown those
// that it shows whatever else there is.
func checkTags(part, source string, known []Variable, shown map[string]bool) (wrong []Fault) {
	fault := func(at int, code, text string, args ...any) {
		line := 1 + strings.Count(source[:at], "\n")
		wrong = append(wrong, Fault{part, line, code, fmt.Sprintf("Line %d: ", line) + fmt.Sprintf(text, args...)})
	}
	open := []section{{}}
	lists := map[string][]Named{}
	for _, v := range known {
		open[0].knows = append(open[0].knows, v.Named)
		lists[v.Name] = v.Items
	}
	for _, at := range tagPattern.FindAllStringSubmatchIndex(source, -1) {
		tag := strings.TrimSpace(source[at[2]:at[3]])
		if tag == "" {
			fault(at[0], "syntax", "The braces are empty.")
			return wrong
		}
		name := strings.TrimSpace(tag[1:])
		switch tag[0] {
		case '!':
		case '{', '&', '=', '>':
			fault(at[0], "not_allowed", "%s is not for mails: values are always escaped, and there is nothing to include.", source[at[0]:at[1]])
			return wrong
		case '/':
			if len(open) == 1 || open[len(open)-1].name != name {
				fault(at[0], "syntax", "{{/%s}} closes nothing that is open.", name)
				return wrong
			}
			open = open[:len(open)-1]
		case '#', '^':
			v, found := lookUp(open, name)
			if !found {
				fault(at[0], "unknown_variable", "There is no variable %s here.", name)
			}
			if v.Type == typeList && slices.ContainsFunc(open, func(s section) bool { return s.name == name }) {
				fault(at[0], "nesting", "The list %s is within itself.", name)
			}
			if len(open) > maxNesting {
				fault(at[0], "nesting", "More than %d sections are within each other.", maxNesting)
				return wrong
			}
			inner := section{name: name, inverted: tag[0] == '^', at: at[0]}
			if !inner.inverted {
				inner.knows, inner.text = lists[name], v.Type == typeText
			}
			open = append(open, inner)
		default:
			v, found := lookUp(open, tag)
			switch {
			case !found:
				fault(at[0], "unknown_variable", "There is no variable %s here.", tag)
			case v.Type != typeText:
				fault(at[0], "unknown_variable", "%s is a %s, and opens a section: {{#%s}}…{{/%s}}.", tag, v.Type, tag, tag)
			case !slices.ContainsFunc(open[1:], func(s section) bool { return s.name != tag || s.inverted }):
				shown[tag] = true
			}
		}
	}
	if last := open[len(open)-1]; len(open) > 1 {
		fault(last.at, "syntax", "The section %s is never closed.", last.name)
	}
	var broken mustache.ParseError
	if _, err := parse(source); errors.As(err, &broken) && len(wrong) == 0 {
		wrong = append(wrong, Fault{part, broken.Line, "syntax", fmt.Sprintf("Line %d: These braces are never closed.", broken.Line)})
	}
	return wrong
}

// lookUp finds a variable by its name, in the innermost section that knows it.
func lookUp(open []section, name string) (Named, bool) {
	if name == "." {
		return Named{Type: typeText}, open[len(open)-1].text
	}
	for _, s := range slices.Backward(open) {
		if i := slices.IndexFunc(s.knows, func(v Named) bool { return v.Name == name }); i >= 0 {
			return s.knows[i], true
		}
	}
	return Named{}, false
}

// parse reads a part of a template. There is nothing that it could include.
func parse(source string) (*mustache.Template, error) {
	return mustache.ParseStringPartials(source, &mustache.StaticProvider{})
}

// What writing a mail fails with whose template gives too much, or no subject.
var (
	errTooLong   = errors.New("it gives too much")
	errNoSubject = errors.New("it has no subject")
)

// bounded is a builder that holds so much. Each write counts, however short, so that a template
// that gives nothing ends as well.
type bounded struct {
	strings.Builder
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p) + 1; b.left < 0 {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}

// fill puts values in the place of a part's variables. Values are maps, lists, texts, numbers
// and flags, so that there is nothing else that a template could read or call.
func fill(source string, values map[string]any, escape func(string) string) (string, error) {
	t, err := parse(source)
	if err != nil {
		return "", err
	}
	t.Escape(escape)
	out := bounded{left: maxContent}
	if err := t.FRender(&out, values); err != nil {
		return "", err
	}
	if out.left < 0 {
		return "", errTooLong
	}
	return out.String(), nil
}

// asIs leaves a value as it is.
func asIs(value string) string { return value }

// escaped is a value as HTML, with its lines one below the other.
func escaped(value string) string { return strings.ReplaceAll(html.EscapeString(value), "\n", "<br>") }
