package mail

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// elements are those that the content of a mail can have, and their attributes: what mail
// programs show alike, and nothing that acts, loads or hides.
var elements = map[string][]string{
	"h1": nil, "h2": nil, "h3": nil, "p": {"class"}, "br": nil, "hr": nil, "div": {"class"}, "span": {"class"}, "blockquote": nil,
	"strong": nil, "b": nil, "em": nil, "i": nil, "u": nil, "s": nil, "small": nil, "sub": nil, "sup": nil, "code": nil, "pre": nil,
	"ul": nil, "ol": nil, "li": nil, "a": {"href", "class"}, "img": {"src", "alt", "width", "height"},
	"table": {"class"}, "thead": nil, "tbody": nil, "tfoot": nil, "tr": nil, "th": {"align", "colspan"}, "td": {"align", "colspan"},
}

// attributes are what the values of attributes look like that are no addresses and no texts.
var attributes = map[string]*regexp.Regexp{
	"class": regexp.MustCompile(`^(button|quiet|label|items|totals)$`),
	"align": regexp.MustCompile(`^(left|center|right)$`),
	"width": regexp.MustCompile(`^[0-9]{1,4}$`), "height": regexp.MustCompile(`^[0-9]{1,4}$`), "colspan": regexp.MustCompile(`^[0-9]$`),
}

// schemes are those of addresses that a mail can lead to.
var schemes = []string{"https", "http", "mailto", "tel"}

// policy keeps what the content of a mail can have.
var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowURLSchemes(schemes...)
	p.RequireParseableURLs(true)
	for name, list := range elements {
		p.AllowElements(name)
		for _, attribute := range list {
			switch pattern := attributes[attribute]; {
			case pattern != nil:
				p.AllowAttrs(attribute).Matching(pattern).OnElements(name)
			default:
				p.AllowAttrs(attribute).OnElements(name)
			}
		}
	}
	return p
}()

// checkElements finds what the content of a mail cannot have in that of a template.
func checkElements(body string) (wrong []Fault) {
	at := 1
	fault := func(text string, args ...any) {
		wrong = append(wrong, Fault{PartBody, at, "not_allowed", fmt.Sprintf("Line %d: ", at) + fmt.Sprintf(text, args...)})
	}
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		kind := z.Next()
		raw := strings.Count(string(z.Raw()), "\n")
		switch kind {
		case html.ErrorToken:
			return wrong
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			allowed, known := elements[token.Data]
			if !known {
				fault("<%s> is not for mails.", token.Data)
				break
			}
			for _, a := range token.Attr {
				switch pattern := attributes[a.Key]; {
				case !slices.Contains(allowed, a.Key):
					fault("%s of <%s> is not for mails.", a.Key, token.Data)
				case pattern != nil && !pattern.MatchString(a.Val):
					fault("%s of <%s> cannot be %q.", a.Key, token.Data, a.Val)
				case (a.Key == "href" || a.Key == "src") && !leads(a.Val):
					fault("%s of <%s> must be a whole address: https, http, mailto or tel, or a variable.", a.Key, token.Data)
				}
			}
		case html.CommentToken, html.DoctypeToken:
			fault("Comments and document types are not for mails.")
		}
		at += raw
	}
}

// leads says whether an address of a template leads somewhere: one of its own, or a variable's.
func leads(address string) bool {
	if strings.HasPrefix(strings.TrimSpace(address), "{{") {
		return true
	}
	u, err := url.Parse(tagPattern.ReplaceAllString(address, "x"))
	return err == nil && slices.Contains(schemes, u.Scheme)
}

// content is the content of a mail: cleaned, whole, and ready for both of its forms.
type content struct{ root *html.Node }

// read cleans HTML and reads it.
func read(source string) (content, error) {
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(policy.Sanitize(source)), root)
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return content{root}, err
}

// html is the content in the brand's looks. Mail programs heed what an element says itself.
func (c content) html(brand Brand, dir string) (string, error) {
	styled(c.root, brand, dir, "")
	var out strings.Builder
	for n := range c.root.ChildNodes() {
		if err := html.Render(&out, n); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// styled gives the elements below a node their looks, within a table of a class.
func styled(n *html.Node, brand Brand, dir, table string) {
	for c := range n.ChildNodes() {
		class, within := attribute(c, "class"), table
		var style string
		switch {
		case c.DataAtom == atom.A && class == "button":
			style = "display:inline-block;margin:12px 0;padding:13px 26px;border-radius:8px;background:" + brand.Color + ";color:" + brand.OnColor() + ";font-weight:600;text-decoration:none;"
		case c.DataAtom == atom.P && class == "label":
			style = "margin:20px 0 4px;font-size:14px;font-weight:600;"
		case c.DataAtom == atom.Img:
			style = "max-width:100%;border:0;"
		case c.DataAtom == atom.Table:
			style, within = "width:100%;margin:16px 0;border-collapse:collapse;font-size:15px;", class
		case c.DataAtom == atom.Td || c.DataAtom == atom.Th:
			style = "padding:4px 0;vertical-align:top;"
			if table == "items" {
				style = "padding:12px 0;border-bottom:1px solid #e8eaed;vertical-align:top;"
			}
			if c.PrevSibling != nil {
				style += map[string]string{"ltr": "padding-left:8px;", "rtl": "padding-right:8px;"}[dir]
			}
		}
		if style != "" {
			c.Attr = append(c.Attr, html.Attribute{Key: "style", Val: style})
		}
		styled(c, brand, dir, within)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is the content without HTML.
func (c content) text() string {
	var w writer
	w.children(c.root)
	return paragraphs(w.String())
}

// opening is how the content begins: its first paragraph, which mailboxes show beside the subject.
func (c content) opening() string {
	for n := range c.root.Descendants() {
		if n.DataAtom == atom.P {
			var w writer
			w.children(n)
			return shorten(line(w.String()), 140)
		}
	}
	return ""
}

// writer writes content as text.
type writer struct {
	strings.Builder
	cell bool // within a cell of a table, which is one line
}

func (w *writer) children(n *html.Node) {
	for c := range n.ChildNodes() {
		w.node(c)
	}
}

func (w *writer) node(n *html.Node) {
	if n.Type == html.TextNode {
		w.words(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Br:
		w.newline()
	case atom.Hr:
		w.WriteString("\n\n---\n\n")
	case atom.Img:
		w.words(attribute(n, "alt"))
	case atom.A:
		w.link(n)
	case atom.Li:
		w.WriteString("\n- ")
		w.children(n)
	case atom.Tr:
		w.WriteString("\n")
		w.row(n)
	case atom.H1, atom.H2, atom.H3, atom.P, atom.Div, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.Table:
		if w.cell {
			w.children(n)
			return
		}
		w.WriteString("\n\n")
		w.children(n)
		w.WriteString("\n\n")
	default:
		w.children(n)
	}
}

// words are text without the line breaks of its source.
func (w *writer) words(text string) {
	said := folded(text)
	if said == "" {
		if text != "" && w.inLine() {
			w.WriteString(" ")
		}
		return
	}
	if strings.TrimLeft(text, " \t\r\n") != text && w.inLine() {
		w.WriteString(" ")
	}
	w.WriteString(said)
	if strings.TrimRight(text, " \t\r\n") != text {
		w.WriteString(" ")
	}
}

// folded is text in one line. Spaces that keep things together stay.
func folded(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
}

// inLine says whether what comes next stands in a line with something before it.
func (w *writer) inLine() bool {
	s := w.String()
	return s != "" && !strings.HasSuffix(s, "\n") && !strings.HasSuffix(s, " ")
}

// newline begins a line, or within a cell what takes its place.
func (w *writer) newline() {
	if w.cell {
		w.WriteString(", ")
		return
	}
	w.WriteString("\n")
}

// link is what a link says, and where it leads: below a button, and else beside it. A link that
// cannot be seen leads nowhere.
func (w *writer) link(n *html.Node) {
	before := w.Len()
	w.children(n)
	said, address := strings.TrimSpace(w.String()[before:]), attribute(n, "href")
	switch {
	case n.FirstChild == nil || address == "" || address == said || strings.TrimPrefix(strings.TrimPrefix(address, "mailto:"), "tel:") == said:
	case said == "":
		w.WriteString(address)
	case attribute(n, "class") == "button" && !w.cell:
		w.WriteString(":\n" + address)
	default:
		w.WriteString(" (" + address + ")")
	}
}

// row is the cells of a table's row beside each other.
func (w *writer) row(n *html.Node) {
	var cells []string
	for c := range n.ChildNodes() {
		cell := writer{cell: true}
		cell.children(c)
		if said := folded(cell.String()); said != "" {
			cells = append(cells, said)
		}
	}
	w.WriteString(strings.Join(cells, "  "))
}
