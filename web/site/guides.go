package site

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/a-h/templ"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"github.com/stoacommerce/stoa/docs/guides"
	"github.com/stoacommerce/stoa/platform/problem"
)

var (
	guideMarkdown = goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	guideLink     = regexp.MustCompile(`\]\(([a-z-]+)\.md([#)])`)
)

// guides mounts the guides beside the reference.
func (s *Site) guides() {
	s.page("GET /docs/guides", "guides", func(w http.ResponseWriter, r *http.Request) error { return s.guide(w, r, guides.Index) })
	s.page("GET /docs/guides/{name}", "guides", func(w http.ResponseWriter, r *http.Request) error { return s.guide(w, r, r.PathValue("name")) })
}

func (s *Site) guide(w http.ResponseWriter, r *http.Request, name string) error {
	text, ok := guides.Text(name)
	if !ok {
		return problem.Missing("guide")
	}
	title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	var html bytes.Buffer
	if err := guideMarkdown.Convert([]byte(guideLink.ReplaceAllString(text, "](/docs/guides/$1$2")), &html); err != nil {
		return err
	}
	return s.keep(w, r, "guide:"+name, oneGuide(s.head(title), name, guides.All(), templ.Raw(html.String())))
}
