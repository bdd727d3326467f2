package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// mailTime bounds one message, from connecting to the server's last word.
const mailTime = 20 * time.Second

// MailConfig is how mail goes out.
type MailConfig struct {
	// URL is smtp://user@host:587 (STARTTLS is demanded), smtps://user@host:465 (TLS
	// from the start), or with ?tls=off a relay in the same house that has none.
	URL      string
	Password string
	From     string // as people see it: 进展看板 <kanban@example.gov.cn>
}

// Mailer sends mail through one server.
type Mailer struct {
	host    string
	options []mail.Option
	from    *netmail.Address
}

// NewMailer checks the settings. It connects to nothing.
func NewMailer(c MailConfig) (*Mailer, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("SMTP_URL is not an address of a mail server: write it like smtp://user@mail.example.gov.cn:587 or smtps://user@mail.example.gov.cn:465")
	}
	if _, set := u.User.Password(); set {
		return nil, errors.New("SMTP_URL holds a password: put it into a file and name that in SMTP_PASSWORD_FILE")
	}
	from, err := netmail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("SMTP_FROM %q is not a mail address: write it like 进展看板 <kanban@example.gov.cn>", c.From)
	}
	port := 587
	if u.Scheme == "smtps" {
		port = 465
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fmt.Errorf("SMTP_URL names port %q, which is no number", u.Port())
		}
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m := &Mailer{host: u.Hostname(), from: from}
	m.options = []mail.Option{mail.WithPort(port), mail.WithTimeout(mailTime), mail.WithHELO(domain)}
	switch off := u.Query().Get("tls") == "off"; {
	case u.Scheme == "smtps":
		m.options = append(m.options, mail.WithSSL())
	case off && u.User.Username() != "":
		return nil, errors.New("SMTP_URL says tls=off and names a user: a password would cross the net in the clear")
	case off:
		m.options = append(m.options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if name := u.User.Username(); name != "" {
		if c.Password == "" {
			return nil, errors.New("SMTP_URL names a user: put the password into a file and name that in SMTP_PASSWORD_FILE")
		}
		m.options = append(m.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(name), mail.WithPassword(c.Password))
	}
	if _, err := mail.NewClient(m.host, m.options...); err != nil {
		return nil, fmt.Errorf("SMTP_URL: %w", err)
	}
	return m, nil
}

// Send sends a message to one address.
func (m *Mailer) Send(ctx context.Context, to string, message Message) error {
	msg := mail.NewMsg()
	msg.FromMailAddress(m.from)
	if err := msg.To(to); err != nil {
		return &failure{"收件地址写得不对", true, err}
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg.Subject(message.Title)
	msg.SetMessageIDWithValue(message.ID + "@" + domain)
	msg.SetDateWithValue(message.At)
	msg.SetBulk() // nobody's holiday reply is wanted
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, message.Body+"\n\n"+message.Link+"\n\n这是系统自动发出的通知,请不要回复。\n")
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return &failure{"邮件设置不对", true, err}
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	if err := client.DialWithContext(ctx); err != nil {
		return mailFailure(err)
	}
	err = client.Send(msg)
	// The server has taken the message or refused it: how the connection ends
	// changes neither, and a failure here must not send the message again.
	_ = client.Close()
	return mailFailure(err)
}

// mailFailure words what a mail server or the way to it answered.
func mailFailure(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*mail.SendError](err); ok {
		// What came after the server took the message does not matter any more.
		if e.Reason == mail.ErrSMTPReset {
			return nil
		}
		code := e.ErrorCode()
		if code != 0 {
			return &failure{cut(fmt.Sprintf("邮件服务器没有收下(%d):%s", code, err), 500), !e.IsTemp() && code >= 500, err}
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return &failure{cut("连不上邮件服务器:"+innermost(err), 500), false, err}
	}
	return &failure{cut("邮件没有发出:"+err.Error(), 500), false, err}
}

// innermost is the last cause's own words: those around it repeat addresses.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
