//go:build rehearse

package image_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An image is what its archive says of it.
type image struct {
	Digest string // of its manifest
	Config struct {
		User       string
		Env        []string
		Entrypoint []string
		Cmd        []string
		Labels     map[string]string
	}
	layers [][]byte
}

// open reads an archive in the form of the Open Container Initiative.
func open(t *testing.T, archive string) image {
	t.Helper()
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	blobs := map[string][]byte{}
	each(t, content, func(header *tar.Header, content io.Reader) error {
		blob, err := io.ReadAll(content)
		blobs[header.Name] = blob
		return err
	})
	blob := func(digest string) []byte {
		b, ok := blobs["blobs/"+strings.Replace(digest, ":", "/", 1)]
		if !ok {
			t.Fatalf("%s has no blob %s", archive, digest)
		}
		return b
	}
	var index, manifest struct {
		Manifests, Layers []struct{ Digest string }
		Config            struct{ Digest string }
	}
	of(t, blobs["index.json"], &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("%s holds %d images", archive, len(index.Manifests))
	}
	found := image{Digest: index.Manifests[0].Digest}
	of(t, blob(found.Digest), &manifest)
	of(t, blob(manifest.Config.Digest), &found)
	for _, layer := range manifest.Layers {
		unzipped, err := gzip.NewReader(bytes.NewReader(blob(layer.Digest)))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(unzipped)
		if err != nil {
			t.Fatal(err)
		}
		found.layers = append(found.layers, content)
	}
	return found
}

// unpack writes the image's files into root, and gives their names with mode and owner.
func (i image) unpack(t *testing.T, root string) map[string]tar.Header {
	t.Helper()
	files := map[string]tar.Header{}
	for _, layer := range i.layers {
		each(t, layer, func(header *tar.Header, content io.Reader) error {
			path := filepath.Join(root, filepath.Clean("/"+header.Name))
			if header.FileInfo().IsDir() {
				return errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, fs.FileMode(header.Mode)), os.Lchown(path, header.Uid, header.Gid))
			}
			files["/"+strings.TrimPrefix(header.Name, "/")] = *header
			b, err := io.ReadAll(content)
			return errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o600),
				os.Chmod(path, fs.FileMode(header.Mode)), os.Lchown(path, header.Uid, header.Gid))
		})
	}
	return files
}

func each(t *testing.T, archive []byte, do func(*tar.Header, io.Reader) error) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = do(header, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func of(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%.100s: %v", text, err)
	}
}

// A bundle is a container that runc runs: of an image, with as little as the compose files
// and the chart grant it. The network is this machine's, where the test's services are.
type bundle struct {
	t         *testing.T
	dir, name string
	image     image
	env       []string
	secrets   string // a folder that is mounted at /run/secrets
}

// write writes what runc is told.
func (b bundle) write(args ...string) {
	b.t.Helper()
	type object = map[string]any
	mount := func(at, kind, from string, options ...string) object {
		return object{"destination": at, "type": kind, "source": from, "options": options}
	}
	text, err := json.Marshal(object{
		"ociVersion": "1.0.2",
		"root":       object{"path": "root", "readonly": true},
		"process": object{
			"user": object{"uid": 65532, "gid": 65532}, "cwd": "/", "args": slices.Concat(b.image.Config.Entrypoint, args),
			"env": slices.Concat(b.image.Config.Env, b.env), "noNewPrivileges": true, "capabilities": object{},
		},
		"mounts": []object{
			mount("/proc", "proc", "proc"),
			mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
			mount("/var/lib/stoa", "tmpfs", "tmpfs", "nosuid", "noexec", "nodev", "uid=65532", "gid=65532", "mode=700"),
			mount("/run/secrets", "bind", b.secrets, "rbind", "ro", "nosuid", "noexec", "nodev"),
		},
		"linux": object{
			"namespaces":    []object{{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}},
			"maskedPaths":   []string{"/proc/kcore", "/proc/keys", "/proc/timer_list"},
			"readonlyPaths": []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// runc is a call of runc about this container, without a terminal.
func (b bundle) runc(args ...string) *exec.Cmd {
	command := exec.Command("runc", append([]string{"--root", filepath.Join(b.dir, "state")}, args...)...)
	command.Dir = b.dir
	return command
}

// run runs the program until it ends, and gives what it said.
func (b bundle) run(args ...string) (string, error) {
	b.write(args...)
	out, err := b.runc("run", b.name).CombinedOutput()
	return string(out), err
}
