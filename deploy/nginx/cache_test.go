package nginx_test

import (
	"testing"
	"time"

	"github.com/stoacommerce/stoa/deploy/nginx"
)

func TestFilesAreCachedAWhileAndOnlyTheUnchanging(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_CACHE_TIME": "1s"}, r.Addr())
	c := s.Client(true)
	fetch := func(address string) string {
		_, text := ask(t, c, "GET", address, "")
		return text
	}
	first := fetch("https://shops.test/site.0a1b2c3d.css")
	if again := fetch("https://shops.test/site.0a1b2c3d.css"); again != first {
		t.Errorf("asked twice, answered %q and %q", first, again)
	}
	if other := fetch("https://acorn.shops.test/site.0a1b2c3d.css"); other == first {
		t.Error("one host was answered with another's file")
	}
	if one, two := fetch("https://shops.test/changing.0a1b2c3d.css"), fetch("https://shops.test/changing.0a1b2c3d.css"); one == two {
		t.Error("what may change was cached")
	}
	gone := false
	for deadline := time.Now().Add(10 * time.Second); !gone && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		gone = fetch("https://shops.test/site.0a1b2c3d.css") != first
	}
	if !gone {
		t.Error("a file is cached for ever")
	}
}

// A page that is the same for everyone is kept for a moment; what anybody's own cookie had
// a part in is not, nor is anything of the API.
func TestPagesForEveryoneAreKeptAMoment(t *testing.T) {
	r := startReplica(t, "a")
	s := startNginx(t, nginx.Values{"STOA_NGINX_PAGE_TIME": "2s"}, r.Addr())
	c := s.Client(true)
	fetch := func(address string, headers ...string) string {
		answer, text := ask(t, c, "GET", address, "", headers...)
		protected(t, answer)
		return text
	}
	first := fetch("https://acorn.shops.test/shared?page=2")
	for _, other := range [][]string{
		{"https://acorn.shops.test/shared?page=3"},
		{"https://birch.shops.test/shared?page=2"},
		{"https://acorn.shops.test/shared?page=2", "Cookie", "customer=1"},
		{"https://acorn.shops.test/shared?page=2", "Authorization", "Bearer x"},
	} {
		if fetch(other[0], other[1:]...) == first {
			t.Errorf("%q was answered with what was another's", other)
		}
	}
	if fetch("https://acorn.shops.test/shared?page=2") != first {
		t.Error("a page for everyone was not kept, or was overwritten by one for somebody")
	}
	for _, address := range []string{"https://acorn.shops.test/", "https://acorn.shops.test/page-of-mine", "https://acorn.shops.test/shared/set", "https://shops.test/v1/shared"} {
		before := r.requests.Load()
		fetch(address)
		fetch(address)
		if asked := r.requests.Load() - before; asked != 2 {
			t.Errorf("%s was asked for twice, and the program %d times", address, asked)
		}
	}
	gone := false
	for deadline := time.Now().Add(20 * time.Second); !gone && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		gone = fetch("https://acorn.shops.test/shared?page=2") != first
	}
	if !gone {
		t.Error("a page is kept for ever")
	}
}
