package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"landmark/internal/landmark"
)

// The kinds of robots.
const (
	DingTalk = "dingtalk"
	WeCom    = "wecom"
)

const (
	robotTime = 10 * time.Second
	// robotText is how many bytes of a text WeCom takes; DingTalk takes more.
	robotText = 2048
	// robotAnswer is how much of an answer is read.
	robotAnswer = 16 << 10
)

// Robot is a group robot's address.
type Robot struct {
	Kind   string
	URL    string // a secret
	Secret string // DingTalk signs with it
}

// Robots calls group robots. The addresses are typed by people, so it goes to
// public addresses by https alone, unless a host or network is allowed by name,
// and follows no redirect.
type Robots struct {
	hosts    []string // host or host:port
	networks []netip.Prefix
	client   *http.Client
	now      func() time.Time
}

// NewRobots takes the hosts (relay.example.gov.cn, 10.1.2.3:8080) and networks
// (10.1.0.0/16) in the house that robots may be at, also by http. now is the real
// time, which signatures hold.
func NewRobots(allow []string, now func() time.Time) (*Robots, error) {
	r := &Robots{now: now}
	for _, entry := range allow {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if prefix, err := netip.ParsePrefix(entry); err == nil {
			r.networks = append(r.networks, prefix)
			continue
		}
		if entry == "" || strings.ContainsAny(entry, "/@ ") {
			return nil, fmt.Errorf("WEBHOOK_ALLOW holds %q: write hosts like relay.example.gov.cn, host:port, or networks like 10.1.0.0/16", entry)
		}
		r.hosts = append(r.hosts, entry)
	}
	r.client = &http.Client{
		Timeout: robotTime,
		Transport: &http.Transport{
			Proxy:               nil, // a proxy would look up the name anew
			DialContext:         r.dial,
			TLSHandshakeTimeout: 5 * time.Second,
			DisableKeepAlives:   true, // few calls, far apart
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// allowed says whether a host is allowed by name.
func (r *Robots) allowed(host, port string) bool {
	host = strings.ToLower(host)
	return slices.Contains(r.hosts, host) || slices.Contains(r.hosts, net.JoinHostPort(host, port))
}

// reachable says whether an address may be called: a public one, or one of a
// network that is allowed.
func (r *Robots) reachable(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range r.networks {
		if p.Contains(addr) {
			return true
		}
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// notPublic are networks that look public and lead elsewhere.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
}

var errPrivate = errors.New("the address is not a public one")

// dial looks at the address itself, after the name was looked up: a name may lead
// anywhere, and elsewhere the next time.
func (r *Robots) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if !r.allowed(host, port) {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !r.reachable(at.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}

// Check says what is wrong with a robot as it was typed. The errors are Invalid,
// with the field.
func (r *Robots) Check(robot Robot) error {
	if robot.Kind != DingTalk && robot.Kind != WeCom {
		return landmark.Errorf(landmark.Invalid, "kind", "请选择钉钉或企业微信")
	}
	u, err := url.Parse(robot.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || len(robot.URL) > 1000 {
		return landmark.Errorf(landmark.Invalid, "url", "机器人地址写得不对,请从群机器人的设置里完整复制")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	listed := r.allowed(u.Hostname(), port)
	addr, err := netip.ParseAddr(u.Hostname())
	literal := err == nil
	inside := literal && slices.ContainsFunc(r.networks, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !listed && !inside):
		return landmark.Errorf(landmark.Invalid, "url", "机器人地址要以 https:// 开头")
	case literal && !listed && !r.reachable(addr), !listed && (u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost")):
		return landmark.Errorf(landmark.Invalid, "url", "不能填内部网络的地址;确有需要,请运维人员在 WEBHOOK_ALLOW 里放行")
	case robot.Kind == DingTalk && u.Query().Get("access_token") == "" && !listed && !inside:
		return landmark.Errorf(landmark.Invalid, "url", "钉钉机器人的地址里要有 access_token")
	case robot.Kind == WeCom && u.Query().Get("key") == "" && !listed && !inside:
		return landmark.Errorf(landmark.Invalid, "url", "企业微信机器人的地址里要有 key")
	case robot.Kind == WeCom && robot.Secret != "":
		return landmark.Errorf(landmark.Invalid, "secret", "企业微信机器人没有加签密钥,请留空")
	}
	return nil
}

// Send says a message in a robot's group.
func (r *Robots) Send(ctx context.Context, robot Robot, m Message) error {
	if err := r.Check(robot); err != nil { // the settings may have changed since it was typed
		return &failure{landmark.MessageOf(err), true, err}
	}
	address := robot.URL
	if robot.Kind == DingTalk && robot.Secret != "" {
		address = signed(address, robot.Secret, r.now())
	}
	body, err := json.Marshal(map[string]any{
		"msgtype": "text", // plain: what people typed cannot become a link or a heading
		"text":    map[string]string{"content": cut(m.Title+"\n"+m.Body+"\n", robotText-len(m.Link)) + m.Link},
	})
	if err != nil {
		return &failure{"消息写不成", true, err}
	}
	ctx, cancel := context.WithTimeout(ctx, robotTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &failure{"机器人地址写得不对", true, errors.New("unreadable address")} // the error would repeat it
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "landmark")
	req.Header.Set("X-Landmark-Delivery", m.ID) // for a relay in the house that wants to tell repeats
	res, err := r.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address
		}
		if errors.Is(err, errPrivate) {
			return &failure{"机器人地址指向内部网络,没有发送", true, err}
		}
		return &failure{cut("连不上机器人:"+innermost(err), 500), false, err}
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, robotAnswer))
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return &failure{fmt.Sprintf("机器人暂时不收(%d)", code), false, nil}
	case code != http.StatusOK:
		return &failure{fmt.Sprintf("机器人没有收下(%d)", code), true, nil}
	case err != nil:
		return &failure{"机器人的回答没有收全", false, err}
	}
	var said struct {
		Code *int   `json:"errcode"`
		Text string `json:"errmsg"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Code == nil {
		return &failure{"机器人的回答看不懂,可能不是群机器人的地址", false, err}
	}
	if *said.Code != 0 {
		return &failure{cut(fmt.Sprintf("机器人没有收下(%d):%s", *said.Code, said.Text), 500), slices.Contains(lasting, *said.Code), nil}
	}
	return nil
}

// lasting are the codes of what trying again does not mend: DingTalk's signature,
// keyword or address list, unknown or disabled robot; WeCom's unknown robot and
// malformed message. Others may pass: too many messages, a server that is busy.
var lasting = []int{310000, 300001, 300005, 400101, 400102, 40035, 40008, 93000, 93004, 93008, 93017}

// signed is a DingTalk address with a moment and the signature over it.
func signed(address, secret string, now time.Time) string {
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "\n" + secret))
	sep := "?"
	if strings.Contains(address, "?") {
		sep = "&"
	}
	return address + sep + "timestamp=" + stamp + "&sign=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
