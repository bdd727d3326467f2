//go:build ignore

// Command barred_gen writes barred.txt: passwords of ten characters and more
// that many people would come upon, made from words, keyboard walks, digits and
// dates and from the habits by which people lengthen them.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const shortest = 10

// Words common in passwords, English and pinyin, and surnames and given names.
var words = strings.Fields(`
password passwd passw0rd admin administrator root user guest test tester login welcome letmein monkey dragon
master superman batman sunshine princess football baseball shadow michael jordan hunter killer freedom whatever
iloveyou loveyou love qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc computer internet
windows office server system manager secret changeme default pass china beijing shanghai zhejiang hangzhou jiaxing
tongxiang wuzhen zhengfu zhongguo woaini woaiwojia aini nihao mima caonima baobao laopo laogong mama baba
zhang wang li liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng xie han tang
feng yu dong xiao cheng cao yuan deng xu fu shen zeng peng lu su jiang cai jia ding wei xue ye yan pan
wangwei zhangwei liwei wangfang lina zhangmin lijing wangjing liuwei zhangli wangxiu lihua zhangwei xiaoming xiaohong
google baidu taobao tencent alibaba huawei xiaomi apple android iphone samsung lenovo weixin qq summer winter spring
autumn january february march april june july august september october november december monday friday sunday`)

// Endings people add to make a word long enough.
var endings = func() []string {
	out := strings.Fields(`1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0 00 000 01 001 007 01234 110 111 1111
11111 111111 112233 1122 119 121 123123 123321 1314 131420 1314520 147258 147258369 159357 163 168 1688 188 222 2222
321 4321 54321 654321 333 3333 444 520 5200 520520 5201314 521 521521 5555 555 666 6666 66666 666666 6688 777 7777
789 7890 789456 789456123 888 8888 88888 888888 8888888 88888888 987654321 99 999 9999 999999 @123 @1234 @123456 #123
!@# !@#$ ! !! @qq @163 abc abcd abc123 abcdef qwe qwe123 asd asd123 zxc a1b2c3 .com @qq.com @163.com @2020 @2021 @2022 @2023 @2024`)
	for year := 1960; year <= 2030; year++ {
		out = append(out, fmt.Sprint(year))
	}
	return out
}()

// Walks over the keyboard, up to three of which make a password.
var walks = strings.Fields(`qwer qwert qwerty qwertyuiop asdf asdfg asdfgh asdfghjkl zxcv zxcvb zxcvbn zxcvbnm qaz wsx edc rfv
qazwsx wsxedc qazwsxedc 1qaz 2wsx 3edc 4rfv 1qaz2wsx 1q2w3e 1q2w3e4r 1q2w3e4r5t q1w2e3 q1w2e3r4 zaq1 xsw2 cde3 1234 qweasd qweasdzxc
123qwe 123qweasd qwe123 asd123 zxc123 abc123 a1b2c3 147258 258369 147258369 159357 123654 789456 456123 741852 741852963 963852741
123456 654321 112233 121212 123123 456456 789789 110110 119119 120120 168168 520520 521521 131420 5201314 1314520 7758521 7758258`)

// Chinese sentences people type as they are.
var sentences = strings.Fields(`我爱你我爱你我爱你我 一二三四五六七八九十 床前明月光疑是地上霜 好好学习天天向上 我的密码是一二三四五六 密码密码密码密码密码
中华人民共和国万岁 为人民服务为人民服务 上善若水厚德载物自强不息 芝麻开门芝麻开门芝麻开门 一二三四五六七八九十一二`)

func main() {
	all := map[string]bool{}
	add := func(s string) {
		if s = strings.ToLower(s); utf8.RuneCountInString(s) >= shortest {
			all[s] = true
		}
	}
	for _, w := range words {
		add(w)
		add(w + w)
		for _, e := range endings {
			add(w + e)
		}
	}
	for _, a := range walks {
		add(a)
		for _, b := range walks {
			add(a + b)
		}
		for _, e := range endings {
			add(a + e)
		}
	}
	for _, s := range sentences {
		add(s)
	}
	for n := shortest; n <= 16; n++ { // runs and repeats
		for _, ring := range []string{"0123456789", "9876543210", "1234567890", "0987654321", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba",
			"qwertyuiopasdfghjklzxcvbnm", "12345", "123456", "1234", "4321", "abcd", "abcde", "abcdef", "1a2b3c4d5e", "a1b2c3d4e5f6", "1q2w3e4r5t6y7u8i9o0p"} {
			add(strings.Repeat(ring, n/len(ring)+1)[:n])
		}
	}
	list := make([]string, 0, len(all))
	for s := range all {
		list = append(list, s)
	}
	slices.Sort(list)

	f, err := os.Create("barred.txt")
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "# Passwords nobody may choose, in lower case. Made by barred_gen.go; do not edit.")
	for _, s := range list {
		fmt.Fprintln(w, s)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}
