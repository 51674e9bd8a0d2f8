//go:build rehearse

package manifests_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/child"
)

// A cluster's node is a machine of its own but for the kernel (testdata/node), at the other end of a device of this one.
const (
	here = "10.231.0.1"
	node = "10.231.0.2"
)

// joined is a cluster with one node, which has images.
func joined(t *testing.T, images func(*cluster)) *cluster {
	t.Helper()
	c := newCluster(t, "kube-scheduler", "kube-proxy", "kubelet")
	images(c)
	c.pause()
	c.box()
	t.Cleanup(c.leaveNothing)
	for _, controller := range c.controllers() {
		if err := os.MkdirAll(filepath.Join(controller, "stoa-node"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(c.dir+"/hosts", 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(c.dir + "/node.log")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("unshare", "--net", "testdata/node", c.dir, fmt.Sprint(os.Getpid()))
	command.Env = []string{"PATH=" + c.dir + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin"}
	command.Stdout, command.Stderr = log, log
	process, err := child.Start(command, child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // and with it all that lives in its namespaces
		<-process.Done()
		if t.Failed() {
			c.tell("node.log", "log/containerd", "log/proxy", "log/kubelet")
		}
	})
	c.until(10*time.Second, "the node's device is there", func() bool { return exec.Command("ip", "link", "show", "stoa-node").Run() == nil })
	for _, arguments := range [][]string{
		{"address", "add", here + "/24", "dev", "stoa-node"}, {"link", "set", "stoa-node", "up"}, {"route", "add", services, "via", node},
	} {
		if out, err := exec.Command("ip", arguments...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", arguments, err, out)
		}
	}
	c.begin(here, "*")
	c.start("scheduler", c.dir+"/kube-scheduler", "--kubeconfig", c.dir+"/config", "--leader-elect=false", "--secure-port", "0")
	c.until(2*time.Minute, "the node is ready", func() bool {
		select {
		case <-process.Done():
			t.Fatalf("the node ended: %v", process.Err())
		default:
		}
		said, err := c.try("kubectl", "get", "node", "node", "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		return err == nil && said == "True"
	})
	return c
}

// tell shows the end of what processes of the node said.
func (c *cluster) tell(logs ...string) {
	for _, name := range logs {
		if text, err := os.ReadFile(filepath.Join(c.dir, name)); err == nil {
			c.t.Logf("%s said: …%s", name, text[max(0, len(text)-2500):])
		}
	}
}

// controllers are where the machine's control groups are: a folder for each controller, or one for all.
func (c *cluster) controllers() []string {
	all, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		all = []string{"/sys/fs/cgroup/cgroup.procs"}
	}
	for i, procs := range all {
		all[i] = filepath.Dir(procs)
	}
	return all
}

// leaveNothing removes what does not end with the node's namespaces: its control groups.
func (c *cluster) leaveNothing() {
	remove := func() (left int) {
		for _, controller := range c.controllers() {
			var groups []string
			_ = filepath.WalkDir(filepath.Join(controller, "stoa-node"), func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					groups = append(groups, path)
				}
				return nil
			})
			for _, group := range slices.Backward(groups) {
				if os.Remove(group) != nil {
					left++
				}
			}
		}
		return left
	}
	c.until(20*time.Second, "the node is gone", func() bool { return remove() == 0 })
	if out, err := exec.Command("ip", "link", "show", "stoa-node").Output(); err == nil {
		c.t.Errorf("the node left its device behind: %s", out)
	}
}

// image builds an image for the node, of files and by a Dockerfile.
func (c *cluster) image(name, dockerfile string, files map[string]string) {
	c.t.Helper()
	context := c.t.TempDir()
	for to, from := range files {
		text, err := os.ReadFile(from)
		if err := errors.Join(err, os.WriteFile(filepath.Join(context, to), text, 0o755)); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(context, "empty"), 0o755), os.MkdirAll(c.dir+"/images", 0o755)); err != nil {
		c.t.Fatal(err)
	}
	archive := filepath.Join(c.dir, "images", strings.NewReplacer("/", "-", ":", "-").Replace(name)+".tar")
	for _, arguments := range [][]string{
		{"build", "--isolation", "chroot", "--format", "oci", "--file", dockerfile, "--tag", name, context},
		{"push", "--quiet", name, "oci-archive:" + archive + ":" + name},
	} {
		engine := []string{"--storage-driver", "vfs", "--root", c.dir + "/buildah", "--runroot", c.dir + "/buildah-run"}
		if out, err := exec.Command("buildah", append(engine, arguments...)...).CombinedOutput(); err != nil {
			c.t.Fatalf("buildah %v: %v\n%s", arguments, err, out)
		}
	}
}

// pause makes the image that holds a pod's namespaces, of Kubernetes' own source.
func (c *cluster) pause() {
	c.t.Helper()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes")
	list.Dir = "../../helm/apiserver"
	source, err := list.Output()
	if err != nil {
		c.t.Fatal(err)
	}
	program := c.dir + "/pause"
	if out, err := exec.Command("gcc", "-static", "-Os", "-o", program, filepath.Join(strings.TrimSpace(string(source)), "build/pause/linux/pause.c")).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	c.write("pause.Dockerfile", "FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT [\"/pause\"]\n")
	c.image("localhost/pause:1", c.dir+"/pause.Dockerfile", map[string]string{"pause": program})
}

// box makes the image of busybox that helm test asks for, of Debian's.
func (c *cluster) box() {
	c.t.Helper()
	c.write("busybox.Dockerfile", "FROM scratch\nCOPY sh /bin/sh\nCOPY sh /bin/wget\nCOPY sh /bin/timeout\nENV PATH=/bin\n")
	program, err := exec.LookPath("busybox")
	if err != nil {
		c.t.Fatal(err)
	}
	c.image("docker.io/library/busybox:1.37.0", c.dir+"/busybox.Dockerfile", map[string]string{"sh": program})
}

// outside has the node reach a server of this machine at the same port, and gives its URL there.
func outside(t *testing.T, address string) string {
	t.Helper()
	server, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(here, server.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	to := server.Host
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go join(from, to)
		}
	}()
	server.Host = listener.Addr().String()
	return server.String()
}

// join copies what comes from either side to the other until one is closed.
func join(from net.Conn, to string) {
	defer func() { _ = from.Close() }()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(server, from); _ = server.Close() }()
	_, _ = io.Copy(from, server)
}

// names tells pods the addresses of a namespace's Services, as a cluster's DNS does.
func (c *cluster) names(namespace string) {
	c.t.Helper()
	c.write("hosts/"+namespace, c.do("kubectl", "-n", namespace, "get", "services",
		"-o", `jsonpath={range .items[?(@.spec.clusterIP!="None")]}{.spec.clusterIP} {.metadata.name}.{.metadata.namespace}.svc.cluster.local{"\n"}{end}`))
}

// release makes an image of the program, of a version, as deploy/image does.
func (c *cluster) release(version string) {
	c.t.Helper()
	c.t.Setenv("CGO_ENABLED", "0")
	binary := apptest.Build(c.t, "-trimpath", "-tags", "nodynamic", "-ldflags", "-s -w -X main.version="+version)
	c.image("localhost/stoa:"+version, "../image/Dockerfile", map[string]string{"stoa": binary, "LICENSE": "../../LICENSE"})
}
