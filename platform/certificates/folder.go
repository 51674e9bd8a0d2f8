package certificates

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suffix ends the names of the files.
const suffix = ".pem"

// Folder is where a server in front finds the certificate of a domain, by its name: one file
// with the chain and the key. Nothing else with such names may lie there.
type Folder struct {
	path string
	laid map[string]string // what lies there, by domain, as far as this process laid it down
}

// OpenFolder takes a folder, and makes it where there is none.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("folder of certificates: %w", err)
	}
	return &Folder{path: path, laid: map[string]string{}}, nil
}

// Keep has the folder hold the certificates with these serials, by domain, and no others.
// Read gives the content of those that are not there yet; one that cannot be read is left out,
// and does not keep the others from being laid down.
func (f *Folder) Keep(serials map[string]string, read func(domain string) ([]byte, error)) error {
	entries, err := os.ReadDir(f.path)
	failed, there := []error{err}, map[string]bool{}
	for _, entry := range entries {
		domain, whole := strings.CutSuffix(entry.Name(), suffix)
		if there[domain] = whole; whole && serials[domain] == "" || leftOver(entry) {
			delete(f.laid, domain)
			failed = append(failed, os.Remove(filepath.Join(f.path, entry.Name())))
		}
	}
	for domain, serial := range serials {
		if f.laid[domain] == serial && there[domain] {
			continue
		}
		content, err := read(domain)
		if err == nil {
			err = f.lay(domain, content)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("certificate of %s: %w", domain, err))
			continue
		}
		f.laid[domain] = serial
	}
	return errors.Join(failed...)
}

// leftOver says whether an entry is what a process left that was killed while it wrote.
func leftOver(entry os.DirEntry) bool {
	about, err := entry.Info()
	return err == nil && strings.HasPrefix(entry.Name(), ".") && time.Since(about.ModTime()) > time.Minute
}

// lay writes a file as a whole: whoever reads it finds the one before or this one.
func (f *Folder) lay(domain string, content []byte) error {
	if domain != filepath.Base(domain) || strings.HasPrefix(domain, ".") {
		return errors.New("it is no name of a file")
	}
	file, err := os.CreateTemp(f.path, "."+domain+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already where all went well
	_, err = file.Write(content)
	// The server's own group reads it, which the folder gives to what is made in it.
	err = errors.Join(err, file.Chmod(0o640), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(f.path, domain+suffix))
}
