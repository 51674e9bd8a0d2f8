package admin

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
)

// of is an office of what Vite is said to have built.
func of(built fstest.MapFS) *Office {
	o := New(&url.URL{Scheme: "https", Host: "stoa.example"})
	o.bundle = func() (*bundle, error) { return read(built) }
	return o
}

func ask(o *Office, method, path string, headers ...string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, path, nil), httptest.NewRecorder()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	o.ServeHTTP(w, r)
	return w
}

var some = fstest.MapFS{
	"index.html":             {Data: []byte(`<script nonce="__NONCE__" src="/admin/assets/main-0a1b.js"></script>`)},
	"assets/main-0a1b.js":    {Data: []byte("plain")},
	"assets/main-0a1b.js.br": {Data: []byte("br")},
	"assets/main-0a1b.js.gz": {Data: []byte("gz")},
	"assets/bare-2c3d.css":   {Data: []byte("css")},
	".vite/manifest.json":    {Data: []byte("{}")},
}

func TestEveryAddressIsTheProgram(t *testing.T) {
	o, seen := of(some), map[string]bool{}
	for _, path := range []string{"/admin", "/admin/", "/admin/linen/orders/ord_1?view=send", "/admin/.vite/manifest.json", "/admin/index.html"} {
		w := ask(o, http.MethodGet, path)
		policy, body := w.Header().Get("Content-Security-Policy"), w.Body.String()
		_, rest, _ := strings.Cut(policy, "style-src 'self' 'nonce-")
		once, _, _ := strings.Cut(rest, "'")
		if w.Code != http.StatusOK || len(once) < 20 || !strings.Contains(body, `nonce="`+once+`"`) {
			t.Errorf("%s: %d, %q, %s", path, w.Code, policy, body)
		}
		if seen[once] || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the nonce of another answer is used again", path)
		}
		seen[once] = true
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'; script-src 'self'; ") || !strings.Contains(policy, "https://*.stoa.example") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
	if w := ask(o, http.MethodHead, "/admin"); w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d, %q", w.Code, w.Body)
	}
}

func TestFilesAreKeptForEver(t *testing.T) {
	o := of(some)
	for _, want := range []struct{ path, takes, encoding, body string }{
		{"/admin/assets/main-0a1b.js", "gzip, deflate, br", "br", "br"},
		{"/admin/assets/main-0a1b.js", "gzip, br;q=0", "gzip", "gz"},
		{"/admin/assets/main-0a1b.js", "", "", "plain"},
		{"/admin/assets/bare-2c3d.css", "br, gzip", "", "css"},
	} {
		w := ask(o, http.MethodGet, want.path, "Accept-Encoding", want.takes)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Encoding") != want.encoding || w.Body.String() != want.body || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s for %q: %d, %q, %v", want.path, want.takes, w.Code, w.Body, h)
		}
		if h.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.Contains(h.Get("Content-Type"), "charset=utf-8") {
			t.Errorf("%s: %v", want.path, h)
		}
		if again := ask(o, http.MethodGet, want.path, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s anew: %d", want.path, again.Code)
		}
	}
	for _, path := range []string{"/admin/assets/former-9f.js", "/admin/assets/main-0a1b.js.br"} {
		if w := ask(o, http.MethodGet, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestWithoutABundleItSaysWhatIsMissing(t *testing.T) {
	if w := ask(of(fstest.MapFS{}), http.MethodGet, "/admin/linen"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Node.js") {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
}

// TestTheProgramBeginsSmall holds what is sent before the first screen, home, can be seen, as
// it is compressed. Only the chart on it comes later.
func TestTheProgramBeginsSmall(t *testing.T) {
	files, err := fs.Sub(dist, "dist/built")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifestOf(files)
	if err != nil {
		return // nothing is built, which TestMerchantsInTheirBackOffice holds to be said
	}
	const most = 250_000
	sent, all := 0, 0
	for name := range m.needed("index.html", "src/rooms/home/home.tsx") {
		b, err := fs.ReadFile(files, name+".br")
		if err != nil {
			t.Fatal(err)
		}
		sent += len(b)
	}
	for name := range m.needed(m.all()...) {
		if b, err := fs.ReadFile(files, name+".br"); err == nil {
			all += len(b)
		}
	}
	t.Logf("the first screen takes %d bytes of %d", sent, all)
	if sent > most {
		t.Errorf("the first screen takes %d bytes, compressed; it may take %d", sent, most)
	}
}
