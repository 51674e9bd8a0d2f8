package nginx

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stoacommerce/stoa/internal/issue"
	"github.com/stoacommerce/stoa/platform/child"
)

// Server is a running Nginx.
type Server struct {
	HTTP, HTTPS string // host:port of its listeners
	// Roots trust its certificate, which is made for this run.
	Roots *x509.CertPool

	dir     string
	process *child.Process
}

const statusSocket = "status"

// Start runs an Nginx on free ports of this machine, in front of the given replicas
// (host:port), with a certificate of its own for hosts, of which the first is the base domain.
// It keeps its files in dir, and reads merchants' certificates in its folder domains. Other
// values of the template can be given too.
func Start(ctx context.Context, dir string, replicas, hosts []string, values Values) (*Server, error) {
	s, err := start(ctx, dir, replicas, hosts, values)
	if err != nil {
		return nil, fmt.Errorf("start Nginx: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, dir string, replicas, hosts []string, values Values) (*Server, error) {
	binary, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, Roots: x509.NewCertPool()}
	all := Values{
		"STOA_NGINX_CERTIFICATE": filepath.Join(dir, "tls.crt"), "STOA_NGINX_CERTIFICATE_KEY": filepath.Join(dir, "tls.key"),
		"STOA_NGINX_STATUS": "unix:" + filepath.Join(dir, statusSocket), "STOA_NGINX_RUN_DIR": dir, "STOA_NGINX_ACME_DIR": filepath.Join(dir, "acme"),
		"STOA_NGINX_ACCESS_LOG": filepath.Join(dir, "access.log"), "STOA_NGINX_ERROR_LOG": filepath.Join(dir, "error.log"),
		"STOA_NGINX_UPSTREAMS": "", "STOA_NGINX_USER": "", "STOA_NGINX_BASE_DOMAIN": hosts[0], "STOA_NGINX_DOMAINS_DIR": filepath.Join(dir, "domains"),
	}
	if os.Geteuid() == 0 {
		all["STOA_NGINX_USER"] = "user root;" // dir may be closed to anyone else
	}
	for _, replica := range replicas {
		all["STOA_NGINX_UPSTREAMS"] += "server " + replica + " max_fails=2 fail_timeout=5s; "
	}
	if err := s.certify(hosts); err != nil {
		return nil, err
	}
	// A port that is free now may be taken a moment later by somebody else.
	for try := 1; ; try++ {
		if s.HTTP, s.HTTPS, err = freePorts(); err != nil {
			return nil, err
		}
		all["STOA_NGINX_HTTP"], all["STOA_NGINX_HTTPS"] = s.HTTP, s.HTTPS
		_, port, _ := net.SplitHostPort(s.HTTPS)
		all["STOA_NGINX_HTTPS_SUFFIX"] = ":" + port
		maps.Copy(all, values)
		err := s.launch(ctx, binary, all)
		if err == nil {
			return s, nil
		}
		if try == 3 || !strings.Contains(err.Error(), "Address already in use") {
			return nil, err
		}
	}
}

// find looks for Nginx where Debian keeps it, too, which is not on everyone's PATH.
func find() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("it is not installed (scripts/install-deps installs it)")
}

func (s *Server) launch(ctx context.Context, binary string, values Values) error {
	text, err := Render(values)
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write its configuration: %w", err)
	}
	if err := os.MkdirAll(values["STOA_NGINX_ACME_DIR"], 0o755); err != nil {
		return fmt.Errorf("make its folders: %w", err)
	}
	var out bytes.Buffer
	cmd := exec.Command(binary, "-e", "stderr", "-p", s.dir, "-c", config, "-g", "daemon off;")
	cmd.Stdout, cmd.Stderr = &out, &out
	if s.process, err = child.Start(cmd, child.Options{OnOurDeath: syscall.SIGTERM}); err != nil {
		return err
	}
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.HTTPS); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.Stop())
		case <-s.process.Done():
			return fmt.Errorf("it ended: %w: %s", s.process.Err(), strings.TrimSpace(out.String()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Status is where its exporter for Prometheus asks it.
func (s *Server) Status() string { return "unix:" + filepath.Join(s.dir, statusSocket) + ":/status" }

// Stop ends it in order: what is under way is finished first.
func (s *Server) Stop() error {
	return s.process.Stop(child.Step{Signal: syscall.SIGQUIT, Wait: 5 * time.Second}, child.Step{Signal: syscall.SIGTERM, Wait: 5 * time.Second})
}

// Log is what it wrote into access.log or error.log.
func (s *Server) Log(name string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// Client talks to it over HTTPS, whatever host an address names, and follows no
// redirect. With http2 it speaks HTTP/2 alone, else HTTP/1.1.
func (s *Server) Client(http2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	return &http.Client{
		Transport: &http.Transport{
			Protocols:       protocols,
			TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				target := s.HTTPS
				if strings.HasSuffix(address, ":80") {
					target = s.HTTP
				}
				return new(net.Dialer).DialContext(ctx, network, target)
			},
			DisableCompression:  true, // so that a caller sees what was sent
			MaxIdleConnsPerHost: 64,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Domain lays a certificate down for a merchant's domain, as the program does.
func (s *Server) Domain(name string) error {
	certificate, key, err := s.selfSigned([]string{name})
	if err == nil {
		err = os.MkdirAll(filepath.Join(s.dir, "domains"), 0o750)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "domains", name+".pem"), append(certificate, key...), 0o600)
}

// certify makes the certificate of the base domain.
func (s *Server) certify(hosts []string) error {
	certificate, key, err := s.selfSigned(hosts)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(s.dir, "tls.crt"), certificate, 0o600),
		os.WriteFile(filepath.Join(s.dir, "tls.key"), key, 0o600),
	)
}

// selfSigned makes a certificate for hosts that signs itself, and that Roots trust.
func (s *Server) selfSigned(hosts []string) (certificate, private []byte, err error) {
	made, key, err := issue.Certificate(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Stoa, for tests"}, DNSNames: hosts,
		KeyUsage: x509.KeyUsageDigitalSignature, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	s.Roots.AddCert(made)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// freePorts finds two free ports.
func freePorts() (first, second string, err error) {
	a, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer a.Close()
	b, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer b.Close()
	return a.Addr().String(), b.Addr().String(), nil
}
