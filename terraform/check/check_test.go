package check

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"

	"github.com/stoacommerce/stoa/terraform/check/schema"
)

const source = "registry.opentofu.org/hashicorp/aws"

// tofu is OpenTofu's program, and settings the file that has it take this very program as the provider.
var tofu, settings string

func TestMain(m *testing.M) {
	if err := setUp(m); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func setUp(m *testing.M) error {
	aws, err := schema.AWS()
	if err != nil {
		return err
	}
	p, err := serving(aws)
	if err != nil {
		return err
	}
	if os.Getenv("TF_PLUGIN_MAGIC_COOKIE") != "" { // started by OpenTofu
		return tf5server.Serve(source, func() tfprotov5.ProviderServer { return p })
	}

	built, err := exec.Command("go", "tool", "-n", "tofu").Output() // built, and kept for the next time
	if err != nil {
		return fmt.Errorf("build OpenTofu: %w", err)
	}
	tofu = strings.TrimSpace(string(built))
	self, err := os.Executable()
	if err != nil {
		return err
	}
	mirror, err := os.MkdirTemp("", "check-")
	if err != nil {
		return err
	}
	at := filepath.Join(mirror, source, aws.Version, runtime.GOOS+"_"+runtime.GOARCH)
	settings = filepath.Join(mirror, "settings")
	err = errors.Join(os.MkdirAll(at, 0o755),
		os.Symlink(self, filepath.Join(at, "terraform-provider-aws_v"+aws.Version)),
		os.WriteFile(settings, fmt.Appendf(nil, "provider_installation {\n filesystem_mirror {\n path = %q\n}\n}\n", mirror), 0o644))
	if err == nil && m.Run() != 0 {
		err = errors.New("see above")
	}
	return errors.Join(err, os.RemoveAll(mirror))
}

// run gives what OpenTofu says in a folder.
func run(in string, args ...string) (string, error) {
	c := exec.Command(tofu, args...)
	c.Dir, c.Env = in, append(os.Environ(), "TF_CLI_CONFIG_FILE="+settings, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	said, err := c.CombinedOutput()
	return string(said), err
}

// copied is terraform/ in a folder of its own, as OpenTofu leaves files behind.
func copied(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, part := range []string{"modules", "environments", "state"} {
		if err := os.CopyFS(filepath.Join(root, part), os.DirFS(filepath.Join("..", part))); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFoldersAreFormatted(t *testing.T) {
	if said, err := run("..", "fmt", "-check", "-diff", "-recursive"); err != nil {
		t.Errorf("tofu fmt: %v\n%s", err, said)
	}
}

// TestFolders has OpenTofu validate each module, each environment and the states' bucket, and run its tests.
func TestFolders(t *testing.T) {
	root := copied(t)
	var folders []string
	for _, pattern := range []string{"modules/*", "environments/*", "state"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, found...)
	}
	if len(folders) != 12 {
		t.Fatalf("there are %d folders", len(folders))
	}
	for _, folder := range folders {
		t.Run(strings.TrimPrefix(folder, root+"/"), func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{{"init", "-backend=false", "-input=false", "-no-color"}, {"validate", "-no-color"}, {"test", "-no-color"}} {
				said, err := run(folder, args...)
				if err != nil {
					t.Fatalf("tofu %s: %v\n%s", args[0], err, said)
				}
				if args[0] == "test" && !strings.Contains(said, " passed, 0 failed") || strings.Contains(said, "Success! 0 passed") {
					t.Errorf("it has no tests:\n%s", said)
				}
			}
		})
	}
}

// TestFaultsAreSeen has the test above not be one that cannot fail.
func TestFaultsAreSeen(t *testing.T) {
	for name, wrong := range map[string][2]string{
		"an argument that there is not":  {"resource \"aws_vpc\" \"it\" {\n cidr_blok = \"10.0.0.0/16\"\n}", `argument named "cidr_blok" is not expected`},
		"a value of another type":        {"resource \"aws_vpc\" \"it\" {\n enable_dns_support = [\"yes\"]\n}", "bool required"},
		"a block that there is not":      {"resource \"aws_vpc\" \"it\" {\n timeout {}\n}", `Blocks of type "timeout" are not expected`},
		"a block that is missing":        {"resource \"aws_eks_cluster\" \"it\" {\n name = \"a\"\n role_arn = \"a\"\n}", "At least 1 \"vpc_config\" blocks are required"},
		"a block that is there twice":    {"resource \"aws_flow_log\" \"it\" {\n destination_options {}\n destination_options {}\n}", "No more than 1 \"destination_options\" blocks are allowed"},
		"an argument that is missing":    {"resource \"aws_eks_cluster\" \"it\" {\n name = \"a\"\n vpc_config {\n subnet_ids = []\n}\n}", `"role_arn" is required`},
		"an attribute that there is not": {"resource \"aws_vpc\" \"it\" {}\noutput \"it\" {\n value = aws_vpc.it.name\n}", `attribute named "name"`},
		"a kind that there is not":       {"resource \"aws_vpn\" \"it\" {}", `does not support resource type "aws_vpn"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "main.tf"), []byte(wrong[0]), 0o644); err != nil {
				t.Fatal(err)
			}
			if said, err := run(folder, "init", "-input=false", "-no-color"); err != nil {
				t.Fatalf("tofu init: %v\n%s", err, said)
			}
			said, err := run(folder, "validate", "-no-color")
			if flat := strings.Join(strings.Fields(said), " "); err == nil || !strings.Contains(flat, wrong[1]) {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}
