package site

import (
	_ "embed"
	"net/http"
	"strings"
	"sync"

	"github.com/swaggest/swgui/v5emb"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/web/page"
)

// docsPolicy is the Content-Security-Policy of the API's documentation, whose renderer is
// a program that sets styles by itself and calls the API where one tries it.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

//go:embed docs.js
var docsJS []byte

var docsScript = page.NewAsset("docs", ".js", "text/javascript; charset=utf-8", docsJS)

// contractFiles are compressed when one first asks for them: workers and commands, which open
// these pages too, never do.
var contractFiles = map[string]func() *page.Asset{
	"/openapi.json": sync.OnceValue(func() *page.Asset { return page.NewAsset("openapi", "", "application/json", contract.JSON) }),
	"/openapi.yaml": sync.OnceValue(func() *page.Asset { return page.NewAsset("openapi", "", "application/yaml", contract.YAML) }),
}

// rendererFiles are those of the renderer that the documentation's page loads.
var rendererFiles = []string{"swagger-ui.css", "swagger-ui-bundle.js"}

// docs mounts the contract, as files and rendered, and the list of error codes.
func (s *Site) docs() error {
	codes, err := contract.Errors()
	if err != nil {
		return err
	}
	s.page("GET /docs/errors", "docs.errors", func(w http.ResponseWriter, r *http.Request) error {
		return s.keep(w, r, "errors", errorCodes(s.head("Error codes"), codes))
	})
	for path, file := range contractFiles {
		s.page("GET "+path, "contract", func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Expose-Headers", "ETag, Request-Id")
			w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
			file().ServeHTTP(w, r)
			return nil
		})
	}
	s.guides()
	renderer := v5emb.New("Stoa API", "/openapi.json", "/docs/")
	for _, name := range rendererFiles {
		s.page("GET /docs/"+name, "asset", func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Cache-Control", "public, max-age=86400")
			renderer.ServeHTTP(w, r)
			return nil
		})
	}
	s.page("GET "+docsScript.Path, "asset", asset(docsScript))
	s.page("GET /docs/{$}", "docs", func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/docs", http.StatusMovedPermanently)
		return nil
	})
	s.page("GET /docs", "docs", func(w http.ResponseWriter, r *http.Request) error {
		return s.keepWith(w, r, docsPolicy, "docs", apiDocs(s.head("API")))
	})
	return nil
}

// pieces cuts a line of Markdown into text and code, which alternate.
func pieces(markdown string) []string { return strings.Split(markdown, "`") }
