// Package compose_test holds the compose files to what they promise: that an engine takes
// them, that every service is bounded, watched and kept from the others, and that the
// programs in them accept what they are handed.
package compose_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// files are the compose files, by their paths from here.
const (
	development = "../compose.yaml"
	production  = "../compose.prod.yaml"
)

// load reads a compose file as an engine does, all of the specification's rules included.
func load(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnvFiles("prod.env.example"), cli.WithDotEnv)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(project.Services) < 3 {
		t.Fatalf("%s has %d services", file, len(project.Services))
	}
	return project
}

func both(t *testing.T, do func(*testing.T, *types.Project)) {
	for _, file := range []string{development, production} {
		t.Run(filepath.Base(file), func(t *testing.T) { do(t, load(t, file)) })
	}
}

// each goes through the services of a project.
func each(t *testing.T, project *types.Project, do func(t *testing.T, s types.ServiceConfig)) {
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) { do(t, service) })
	}
}

// once says whether a service runs to its end and is not meant to stay.
func once(project *types.Project, name string) bool {
	for _, other := range project.Services {
		if d, waits := other.DependsOn[name]; waits && d.Condition == types.ServiceConditionCompletedSuccessfully {
			return true
		}
	}
	return false
}

func TestEveryServiceIsWatchedAndBounded(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			switch h := s.HealthCheck; {
			case h == nil:
				t.Error("it has no health check")
			case h.Disable != once(project, s.Name):
				t.Errorf("its health check is disabled: %v; it runs to its end: %v", h.Disable, once(project, s.Name))
			case !h.Disable && (len(h.Test) < 2 || h.Interval == nil || h.Timeout == nil || h.Retries == nil):
				t.Errorf("its health check is incomplete: %+v", h)
			}
			if s.CPUS <= 0 || s.MemLimit <= 0 || s.PidsLimit <= 0 {
				t.Errorf("it is not bounded: %v processors, %d bytes, %d processes", s.CPUS, s.MemLimit, s.PidsLimit)
			}
			if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
				t.Error("its log grows without bounds")
			}
			if s.Restart == "" {
				t.Error("nobody starts it again")
			}
		})
	})
}

func TestEveryServiceIsGrantedAsLittleAsItNeeds(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			if !s.ReadOnly || s.Privileged || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("read-only %v, privileged %v, dropped %v, %v", s.ReadOnly, s.Privileged, s.CapDrop, s.SecurityOpt)
			}
			if project.Name == "stoa" && len(s.CapAdd) > 0 {
				t.Errorf("it is given %v", s.CapAdd)
			}
			if s.User == "" && !ours(s) && len(s.CapAdd) == 0 {
				t.Error("it runs as root, or as whom its image says")
			}
			if strings.HasPrefix(s.User, "0") || s.User == "root" {
				t.Errorf("it runs as %s", s.User)
			}
			for _, v := range s.Volumes {
				if strings.Contains(v.Source, "docker.sock") || v.Type == types.VolumeTypeBind && !v.ReadOnly {
					t.Errorf("it may write to %s of the host", v.Source)
				}
			}
		})
	})
}

// ours says whether a service is the program itself, whose image names a user.
func ours(s types.ServiceConfig) bool {
	return strings.HasPrefix(s.Image, "ghcr.io/stoacommerce/stoa:")
}

var (
	pinned = regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?([.-][a-z0-9]+)*$`)
	handed = regexp.MustCompile(`/run/secrets/([a-z_.]+)`)
	secret = regexp.MustCompile(`PASS|SECRET|TOKEN|KEYS|DATABASE_URL|REDIS_URL|SMTP_URL|CELLS$`)
)

func TestImagesAreOfOneVersion(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			if !pinned.MatchString(s.Image) && (s.Build == nil || project.Name != "stoa-dev") {
				t.Errorf("its image is %q, which changes by itself", s.Image)
			}
		})
	})
}

func TestSecretsAreFiles(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			for name, value := range s.Environment {
				switch {
				case value == nil:
					t.Errorf("%s is taken from whoever starts it", name)
				case secret.MatchString(name) && !strings.HasSuffix(name, "_FILE"):
					t.Errorf("%s stands in its environment", name)
				case strings.HasSuffix(name, "_FILE") && *value != "" && !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool {
					return *value == "/run/secrets/"+c.Source
				}):
					t.Errorf("%s is %s, which it is not handed", name, *value)
				}
			}
			for _, named := range append(slices.Clone(s.Command), s.Entrypoint...) {
				for _, found := range handed.FindAllStringSubmatch(named, -1) {
					if !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == found[1] }) {
						t.Errorf("its command names the secret %s, which it is not handed", found[1])
					}
				}
			}
		})
	})
}

// TestSecretsCanBeRead sees that who is handed a secret is in the group that may read it.
func TestSecretsCanBeRead(t *testing.T) {
	project := load(t, production)
	each(t, project, func(t *testing.T, s types.ServiceConfig) {
		isIn := ours(s) && s.User == "" || strings.HasSuffix(s.User, ":65532") || slices.Contains(s.GroupAdd, "65532")
		if isIn != (len(s.Secrets) > 0) && !ours(s) {
			t.Errorf("it is handed %d secrets, and is in their group: %v", len(s.Secrets), isIn)
		}
		if !isIn && len(s.Secrets) > 0 {
			t.Errorf("it cannot read its secrets as %q", s.User)
		}
	})
}

func TestOnlyNginxListensToTheWorld(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			for _, port := range s.Ports {
				if s.Name != "nginx" && !net.ParseIP(port.HostIP).IsLoopback() {
					t.Errorf("port %s is published at %q", port.Published, port.HostIP)
				}
			}
			if s.NetworkMode != "" {
				t.Errorf("its network is %s", s.NetworkMode)
			}
		})
	})
}

func TestNetworksKeepServicesApart(t *testing.T) {
	project := load(t, production)
	for _, name := range []string{"front", "status", "back", "observability"} {
		if !bool(project.Networks[name].Internal) {
			t.Errorf("network %s leads out", name)
		}
	}
	for name, may := range map[string][]string{
		"edge": {"nginx"}, "status": {"nginx", "nginx-exporter"}, "front": {"nginx", "api-1", "api-2"}, "console": {"grafana"},
		"outward": {"api-1", "api-2", "worker", "certificates", "backup", "alertmanager", "blackbox-exporter"},
		"back":    {"api-1", "api-2", "worker", "certificates", "migrate", "postgres", "redis", "stanza", "backup", "postgres-exporter", "redis-exporter"},
	} {
		for _, service := range project.Services {
			if _, in := service.Networks[name]; in != slices.Contains(may, service.Name) {
				t.Errorf("%s is in network %s: %v", service.Name, name, in)
			}
		}
	}
}

func TestWhatIsMountedIsThere(t *testing.T) {
	both(t, func(t *testing.T, project *types.Project) {
		each(t, project, func(t *testing.T, s types.ServiceConfig) {
			for _, v := range s.Volumes {
				if v.Type == types.VolumeTypeBind {
					if _, err := os.Stat(v.Source); err != nil {
						t.Errorf("it mounts %v", err)
					}
				}
			}
		})
		for name, secret := range project.Secrets {
			if _, err := os.Stat(secret.File); err != nil && project.Name == "stoa-dev" {
				t.Errorf("secret %s: %v", name, err)
			}
		}
	})
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
