package certificates_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
)

// seed makes the key of an account.
var seed = []byte("an account's key has 32 bytes...")

func TestACertificateIsObtained(t *testing.T) {
	t.Parallel()
	var account *certificates.Authority
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := account.Answer(strings.TrimPrefix(r.URL.Path, "/.well-known/acme-challenge/"))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(site.Close)
	names := catest.StartNames(t)
	authority := catest.Start(t, names, site.Listener.Addr().(*net.TCPAddr).Port)
	names.Set(t, "shop.example.com", "A", "127.0.0.1")
	var err error
	if account, err = certificates.Open(authority.Directory, "operations@example.com", seed, authority.Client); err != nil {
		t.Fatal(err)
	}
	got, err := account.Obtain(t.Context(), "shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(got.Chain, got.Key)
	if err != nil {
		t.Fatal(err)
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(authority.Root)
	intermediates.AppendCertsFromPEM(got.Chain)
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: "shop.example.com", Roots: roots, Intermediates: intermediates}); err != nil {
		t.Error(err)
	}
	if life := got.NotAfter.Sub(got.NotBefore); got.RenewAt().Sub(got.NotBefore) != life*2/3 || life < 24*time.Hour {
		t.Errorf("of %v it is renewed after %v", life, got.RenewAt().Sub(got.NotBefore))
	}

	// Another process has the same account, and is told why there is no certificate.
	other, err := certificates.Open(authority.Directory, "", seed, authority.Client)
	if err != nil {
		t.Fatal(err)
	}
	authority.Refuse(t, "evil.example.com")
	if _, err := other.Obtain(t.Context(), "evil.example.com"); !strings.Contains(certificates.Reason(err), "forbidden by policy") {
		t.Errorf("refused with %q: %v", certificates.Reason(err), err)
	}
	names.Set(t, "astray.example.com", "A", "127.0.0.2")
	if _, err := other.Obtain(t.Context(), "astray.example.com"); certificates.Reason(err) == "" {
		t.Errorf("a domain that leads elsewhere: %v", err)
	}
	if reason := certificates.Reason(errors.New("no route to host")); reason != "" {
		t.Errorf("the authority is said to have said %q", reason)
	}
	if _, err := certificates.Open(authority.Directory, "", seed[:8], nil); err == nil {
		t.Error("a key of eight bytes is taken")
	}
}

func TestAFolderHoldsWhatIsServed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "certificates")
	folder, err := certificates.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	keep := func(folder *certificates.Folder, serials map[string]string) error {
		return folder.Keep(serials, func(domain string) ([]byte, error) {
			if reads++; domain == "broken.example.com" {
				return nil, errors.New("it cannot be read")
			}
			return []byte(domain + " " + serials[domain]), nil
		})
	}
	holds := func(want string) {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, path := range found {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if about, err := os.Stat(path); err != nil || about.Mode().Perm() != 0o640 {
				t.Errorf("%s has mode %v, %v", path, about.Mode(), err)
			}
			all = append(all, filepath.Base(path)+": "+string(content))
		}
		if got := strings.Join(all, "\n"); got != want {
			t.Errorf("holds %q, want %q", got, want)
		}
	}
	two := map[string]string{"a.example.com": "1", "b.example.com": "1"}
	if err := keep(folder, two); err != nil || reads != 2 {
		t.Fatalf("%d read, %v", reads, err)
	}
	holds("a.example.com.pem: a.example.com 1\nb.example.com.pem: b.example.com 1")
	if err := errors.Join(keep(folder, two), os.Remove(filepath.Join(dir, "b.example.com.pem")), keep(folder, two)); err != nil || reads != 3 {
		t.Fatalf("%d read, %v", reads, err)
	}
	// Another process, beside it or after it, begins by what lies there.
	other, err := certificates.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".c.example.com-17"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, ".c.example.com-17"), long, long); err != nil {
		t.Fatal(err)
	}
	err = keep(other, map[string]string{"a.example.com": "2", "broken.example.com": "1", "../evil": "1"})
	if err == nil || !strings.Contains(err.Error(), "it cannot be read") || !strings.Contains(err.Error(), "../evil") {
		t.Errorf("laid down with %v", err)
	}
	holds("a.example.com.pem: a.example.com 2")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v lie there, %v", left, err)
	}
	if _, err := certificates.OpenFolder(filepath.Join(dir, "a.example.com.pem")); err == nil {
		t.Error("a file is taken for a folder")
	}
}
