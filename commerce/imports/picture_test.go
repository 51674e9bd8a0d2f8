package imports_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/platform/egress"
)

// gallery serves a picture at every address but some.
func gallery(t *testing.T, asked *atomic.Int64) *httptest.Server {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		switch {
		case strings.HasPrefix(r.URL.Path, "/missing"):
			http.NotFound(w, r)
		case strings.HasPrefix(r.URL.Path, "/page"):
			fmt.Fprint(w, "<html>no picture</html>")
		case strings.HasPrefix(r.URL.Path, "/large"):
			_, _ = w.Write(make([]byte, 3<<20))
		case strings.HasPrefix(r.URL.Path, "/busy") && n%2 == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasPrefix(r.URL.Path, "/down"):
			w.WriteHeader(http.StatusBadGateway)
		case strings.HasPrefix(r.URL.Path, "/round"):
			http.Redirect(w, r, "/round", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/inside"):
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/here.png", http.StatusFound)
		default:
			_, _ = w.Write(picture.Bytes())
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestPictures(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := gallery(t, &asked)
	h := open(t, imports.Config{Egress: local, Pictures: 3}, catalog.Unlimited{})
	made := cataloguetest.Make(cataloguetest.File{Products: 30, Images: server.URL})
	id := h.ask(string(made.CSV))
	for list := h.jobs(); len(list) > 0; list = h.jobs() {
		for _, j := range list {
			if err := h.do(j, 1); err != nil {
				t.Fatal(err)
			}
			if n := value[int](h, `select count(*) from import_images where asked`); n > 3 {
				t.Fatalf("%d pictures are asked for at a time", n)
			}
		}
	}
	h.want(h.operation(id), "succeeded", imports.Counts{Created: made.Rows})
	if n := value[int](h, `select count(*) from images where state = 'ready' and jsonb_array_length(sizes) > 0`); n != made.Images {
		t.Errorf("%d pictures of %d", n, made.Images)
	}
	if n := value[int](h, `select count(*) from variants v join images i on i.id = v.image_id and i.product_id = v.product_id and i.source_url like '%-2.png'`); n == 0 || n != value[int](h, `select count(*) from images where source_url like '%-2.png'`) {
		t.Errorf("%d variants show their picture", n)
	}
	if n := value[int](h, `select count(*) from images i where position <> (select count(*) from images o where o.product_id = i.product_id and o.source_url < i.source_url)`); n != 0 {
		t.Errorf("%d pictures are out of order", n)
	}
	if n := value[int](h, `select count(*) from import_images`); n != 0 {
		t.Errorf("%d pictures are still on the list", n)
	}

	fetched := asked.Load()
	h.want(h.run(string(made.CSV)), "succeeded", imports.Counts{Skipped: made.Rows})
	if asked.Load() != fetched {
		t.Errorf("%d pictures were fetched again", asked.Load()-fetched)
	}
}

func TestPicturesThatCannotBeHad(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := gallery(t, &asked)
	options := local
	options.MaxBytes = 1 << 20
	h := open(t, imports.Config{Egress: options}, catalog.Unlimited{})
	var rows strings.Builder
	for i, path := range []string{"/ok.png", "/missing", "/page", "/large", "/round", "/inside", "/moved"} {
		fmt.Fprintf(&rows, "p%d,P%d,1,%s%s\n", i, i, server.URL, path)
	}
	rows.WriteString("q,Q,1,ftp://example.com/x.png\n")
	o := h.run("Handle,Title,Variant Price,Image Src\n" + rows.String())
	want := "2 created\n" +
		strings.Repeat("%d created: warning image_not_fetched (Image Src)\n", 5) + "8 created\n9 created: warning image_refused (Image Src)"
	if got := o.fates(); got != fmt.Sprintf(want, 3, 4, 5, 6, 7) {
		t.Errorf("got\n%s", got)
	}
	h.want(o, "succeeded", imports.Counts{Created: 8, Warnings: 6})
	for line, text := range map[int]string{3: "404", 4: "web page", 5: "larger", 6: "redirects", 7: "not one of the public internet"} {
		if got := o.rows[line-2].Messages[0].Detail; !strings.Contains(got, text) {
			t.Errorf("line %d: %s", line, got)
		}
	}
	if n := value[int](h, `select count(*) from images where state = 'failed'`); n != 5 {
		t.Errorf("%d images failed", n)
	}
	// What could not be had is tried anew by the next import.
	before := asked.Load()
	again := h.run("Handle,Title,Variant Price,Image Src\np1,P1,1," + server.URL + "/missing\n")
	if got := again.fates(); got != "2 updated: warning image_not_fetched (Image Src)" || asked.Load() == before {
		t.Errorf("again: %s", got)
	}
}

// An address that does not answer is tried again, and given up after a few times. What
// killed its worker is not tried for ever.
func TestPicturesAreTriedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := gallery(t, &asked)
	h := open(t, imports.Config{Egress: local}, catalog.Unlimited{})
	pictures := func(path string) []job {
		t.Helper()
		id := h.ask("Handle,Title,Variant Price,Image Src\n" + path[1:] + "," + path + ",1," + server.URL + path + "\n")
		h.jobs()
		if err := h.service.Work(h.ctx, id, 1); err != nil {
			t.Fatal(err)
		}
		var list []job
		for _, j := range h.jobs() {
			if j.kind == imports.JobImage {
				list = append(list, j)
			}
		}
		if len(list) != 1 {
			t.Fatalf("%d pictures", len(list))
		}
		return list
	}
	state := func(j job) string { return value[string](h, `select state from images where id = $1`, j.args.ImageID) }

	busy := pictures("/busy")[0]
	if err := h.do(busy, 1); err == nil || state(busy) != "pending" {
		t.Errorf("busy: %v %s", err, state(busy))
	}
	if err := h.do(busy, 2); err != nil || state(busy) != "ready" {
		t.Errorf("busy, again: %v %s", err, state(busy))
	}
	if err := h.do(busy, 3); err != nil || state(busy) != "ready" {
		t.Errorf("a repetition: %v %s", err, state(busy))
	}
	down := pictures("/down")[0]
	for attempt := 1; attempt < 3; attempt++ {
		if err := h.do(down, attempt); err == nil {
			t.Error("it was given up at once")
		}
	}
	if err := h.do(down, 3); err != nil || state(down) != "failed" {
		t.Errorf("down: %v %s", err, state(down))
	}
	killer := pictures("/killer")[0]
	before := asked.Load()
	if err := h.do(killer, 4); err != nil || state(killer) != "failed" || asked.Load() != before {
		t.Errorf("killer: %v %s", err, state(killer))
	}
	gone := pictures("/gone")[0]
	h.exec(`delete from products where handle = 'gone'`)
	if err := h.do(gone, 1); err != nil {
		t.Errorf("gone: %v", err)
	}
}

// Without leave, nothing of the machine's own network is asked for.
func TestNoPrivateAddress(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := gallery(t, &asked)
	h := open(t, imports.Config{Egress: egress.Options{AllowPlainHTTP: true}}, catalog.Unlimited{})
	o := h.run("Handle,Title,Variant Price,Image Src\na,A,1," + server.URL + "/x.png\nb,B,1,http://localhost/x.png\n")
	if got := o.fates(); got != "2 created: warning image_refused (Image Src)\n3 created: warning image_refused (Image Src)" || asked.Load() != 0 {
		t.Errorf("%d were asked for\n%s", asked.Load(), got)
	}
}
