package embedded

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// The repository of this test offers the machine's own binaries in the form in which
// the real one offers its.
func TestPostgresIsDownloadedWhereNoneIsInstalled(t *testing.T) {
	releases := installed(context.Background())
	if len(releases) == 0 {
		t.Fatal("no PostgreSQL is installed; scripts/install-deps installs one")
	}
	archive := packRelease(t, releases[0].bin)
	var asked atomic.Int32
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			sum := sha256.Sum256(archive)
			_, _ = io.WriteString(w, hex.EncodeToString(sum[:]))
			return
		}
		asked.Add(1)
		_, _ = w.Write(archive)
	}))
	defer repository.Close()

	dir := t.TempDir()
	p := startPostgresIn(t, PostgresOptions{Dir: dir, Repository: repository.URL})
	if want := filepath.Join(p.home.data, "release", "bin"); p.release.bin != want {
		t.Errorf("it runs from %s, want %s", p.release.bin, want)
	}
	if one := query[int](t, p.URL(), "select 1"); one != 1 {
		t.Errorf("it answers %d", one)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	startPostgresIn(t, PostgresOptions{Dir: dir, Repository: repository.URL})
	if n := asked.Load(); n != 1 {
		t.Errorf("it was downloaded %d times", n)
	}
}

func TestAFailedDownloadSaysWhatToInstall(t *testing.T) {
	repository := httptest.NewServer(http.NotFoundHandler())
	defer repository.Close()
	_, err := StartPostgres(context.Background(), PostgresOptions{Repository: repository.URL})
	if err == nil || !strings.Contains(err.Error(), "scripts/install-deps") {
		t.Fatalf("answered %v", err)
	}
}

// packRelease makes the archive: a zip with a tar, compressed by xz, of the
// binaries and their libraries.
func packRelease(t *testing.T, bin string) []byte {
	t.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	files := []string{"bin/initdb", "bin/postgres", "bin/pg_ctl"}
	libraries, _ := filepath.Glob(filepath.Join(bin, "../lib/*.so"))
	for _, path := range libraries {
		if name := filepath.Base(path); !strings.HasPrefix(name, "llvm") {
			files = append(files, "lib/"+name)
		}
	}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(bin, "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(b)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	xz := exec.Command("xz", "-0", "--stdout")
	xz.Stdin = &plain
	compressed, err := xz.Output()
	if err != nil {
		t.Fatalf("xz: %v", err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	entry, err := z.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(compressed); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}
