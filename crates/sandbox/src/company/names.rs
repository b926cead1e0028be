//! Names and mobiles of eight tongues, chosen for what they do to software:
//! ё, ʼ and ’, ß, dotted İ, Polish tails, letters outside the Latin alphabet.

use super::Dice;

pub(super) struct Name {
    pub given: String,
    pub family: String,
    pub display: String,
}

/// People who are named, and whose mobiles are spelt, alike.
#[derive(Debug)]
pub(super) struct Tongue {
    /// Of a hundred people.
    share: usize,
    given: &'static str,
    family: &'static str,
    order: Order,
    /// `#` is a digit.
    mobiles: &'static [&'static str],
}

#[derive(Debug)]
enum Order {
    /// `Given Family`
    GivenFirst,
    /// `Family, Given`
    Comma,
    /// `Family Given Patronymic`, both after the first listed gender.
    Patronymic { second: &'static str, tail: &'static str },
    /// Family and given name without a space.
    Joined,
}

pub(super) static TONGUES: [Tongue; 9] = [
    Tongue {
        share: 28,
        given: "Артём Фёдор Пётр Семён Лев Илья Никита Дмитрий",
        family: "Соловьёв Ёлкин Сёмин Щербаков Подъяпольский Мусин-Пушкин Цой Кузнецов Объедков",
        order: Order::Patronymic {
            second: "Алексеевич Фёдорович Ильич Петрович", tail: ""
        },
        mobiles: RUSSIAN,
    },
    Tongue {
        share: 26,
        given: "Алёна Анна Любовь Наталья Зоя Ксения",
        family: "Соловьёв Ёлкин Сёмин Щербаков Кузнецов Королёв Объедков",
        order: Order::Patronymic {
            second: "Алексеевна Фёдоровна Ильинична Петровна", tail: "а"
        },
        mobiles: RUSSIAN,
    },
    Tongue {
        share: 9,
        given: "Наталія Їлля Ґалина Олександр В'ячеслав",
        family: "Марʼяненко Дем’янчук Ґудзь Шевченко Солов'юк",
        order: Order::GivenFirst,
        mobiles: &["+380 67 ### ## ##", "+38050#######"],
    },
    Tongue {
        share: 11,
        given: "Jürgen Käthe Björn Zoë Jörg",
        family: "Weiß Großmann Häußler Özdemir Müller-Lüdenscheidt",
        order: Order::Comma,
        mobiles: &["+49 151 #### ####", "+49 (0)170 #######"],
    },
    Tongue {
        share: 7,
        given: "Siobhán Aoife Seán Conor",
        family: "O'Connor O’Brien Ó·Súilleabháin FitzGerald",
        order: Order::GivenFirst,
        mobiles: &["+353 87 ### ####"],
    },
    Tongue {
        share: 8,
        given: "Łukasz Małgorzata Żaneta Święcisław",
        family: "Łęcki Żółć Wiśniewski-Dąb Brzęczyszczykiewicz",
        order: Order::GivenFirst,
        mobiles: &["+48 601 ### ###"],
    },
    Tongue {
        share: 5,
        given: "İlker Işıl Çağrı Gülşen",
        family: "Yılmaz Işık Şahin İnönü",
        order: Order::GivenFirst,
        mobiles: &["+90 532 ### ## ##", "+90 (533) ### ## ##"],
    },
    Tongue {
        share: 3,
        given: "伟 芳 秀英",
        family: "王 欧阳 刘",
        order: Order::Joined,
        mobiles: &["+86 138 #### ####", "+86139########"],
    },
    Tongue {
        share: 3,
        given: "Нұрсұлтан Әсел Қайрат",
        family: "Әбдіров Нұрпейісов Жүнісов",
        order: Order::GivenFirst,
        mobiles: &["+7 701 ### ## ##", "8 (777) ### ####"],
    },
];

const RUSSIAN: &[&str] =
    &["+7 (926) ###-##-##", "8-916-###-##-##", "8903#######", "+7 999 ### ## ##", "+7977#######"];

const LATIN: &[(&str, &str)] = &[
    ("а", "a"),
    ("б", "b"),
    ("в", "v"),
    ("гґғ", "g"),
    ("д", "d"),
    ("еёэәє", "e"),
    ("ж", "zh"),
    ("з", "z"),
    ("иіїый", "i"),
    ("кқ", "k"),
    ("л", "l"),
    ("м", "m"),
    ("нң", "n"),
    ("оө", "o"),
    ("п", "p"),
    ("р", "r"),
    ("с", "s"),
    ("т", "t"),
    ("уұү", "u"),
    ("ф", "f"),
    ("х", "kh"),
    ("ц", "ts"),
    ("ч", "ch"),
    ("ш", "sh"),
    ("щ", "sch"),
    ("ю", "yu"),
    ("я", "ya"),
    ("äáâą", "a"),
    ("öóô", "o"),
    ("üúû", "u"),
    ("ëéèę", "e"),
    ("ß", "ss"),
    ("ıíi", "i"),
    ("ł", "l"),
    ("żźz", "z"),
    ("ćç", "c"),
    ("śş", "s"),
    ("ń", "n"),
    ("ğ", "g"),
    ("王", "wang"),
    ("欧", "ou"),
    ("阳", "yang"),
    ("刘", "liu"),
];

impl Tongue {
    pub(super) fn draw(dice: &mut Dice) -> &'static Tongue {
        let mut lot = dice.below(TONGUES.iter().map(|tongue| tongue.share).sum());
        for tongue in &TONGUES {
            match lot.checked_sub(tongue.share) {
                Some(rest) => lot = rest,
                None => return tongue,
            }
        }
        &TONGUES[0]
    }

    /// A double name is one of this tongue beside one of any.
    pub(super) fn name(&self, dice: &mut Dice, is_double: bool) -> Name {
        let word = |dice: &mut Dice, list: &str| {
            let words: Vec<&str> = list.split(' ').collect();
            dice.pick(&words).replace('·', " ")
        };
        let (mut given, mut family) = (word(dice, self.given), word(dice, self.family));
        if let Order::Patronymic { tail, .. } = self.order {
            family.push_str(tail);
        }
        if is_double {
            let any = |dice: &mut Dice| &TONGUES[dice.below(TONGUES.len())];
            let (first, last) = (any(dice), any(dice));
            given = format!("{given} {}", word(dice, first.given));
            family = format!("{family}-{}", word(dice, last.family));
        }
        let display = match self.order {
            Order::Joined if !is_double => format!("{family}{given}"),
            Order::GivenFirst | Order::Joined => format!("{given} {family}"),
            Order::Comma => format!("{family}, {given}"),
            Order::Patronymic { second, .. } => format!("{family} {given} {}", word(dice, second)),
        };
        Name { given, family, display }
    }

    pub(super) fn mobile(&self, dice: &mut Dice) -> String {
        let pattern = dice.pick(self.mobiles);
        let mut first = true;
        let mut digit = |c: char| match c {
            // A subscriber number never starts with a zero.
            '#' if std::mem::take(&mut first) => char::from(b'2' + dice.below(8) as u8),
            '#' => char::from(b'0' + dice.below(10) as u8),
            _ => c,
        };
        pattern.chars().map(&mut digit).collect()
    }
}

/// A login's worth of Latin letters.
pub(super) fn latin(name: &str, chars_max: usize) -> String {
    let mut latin = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match LATIN.iter().find(|(from, _)| from.contains(c)) {
            Some((_, to)) => latin.push_str(to),
            None if c.is_ascii_alphanumeric() => latin.push(c),
            None => {}
        }
    }
    latin.truncate(chars_max);
    latin
}
