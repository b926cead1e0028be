//! A believable company of many tongues, and the same company as its PBX
//! knows it. Plain data made from a seed: person `i` depends on the seed and
//! `i` only, so a larger company merely has more people at its end.
//!
//! Most people are drawn by lot. These have a part to play, in every company
//! that is large enough:
//!
//! | person | part |
//! |---|---|
//! | 3, 9 | namesakes; the PBX knows one of them by name alone |
//! | 5 | a name with an emoji |
//! | 11 | asks for the number of [`RECEPTION`], who is only in the PBX |
//! | 13, 31 | both ask for one number |
//! | 17 | has `12a` for a number |
//! | 19 | has a desk phone where the number should be |
//! | 21, 22 | disabled; the PBX knows 21 |
//! | 24 | the account has expired |
//! | 26 | locked out after wrong passwords |
//! | 28 | has neither mail nor mobile nor number |
//! | 35 | has two mobiles |

mod names;
mod photo;

pub use photo::Photo;

use effects::SeededRandom;
use names::{TONGUES, Tongue};
use secrecy::SecretString;
use uuid::Uuid;

pub const MAIL_DOMAIN: &str = "romashka.test";
pub const COMPANY_NAME: &str = "ООО «Ромашка»";
/// The number of the employee whom the directory does not know.
pub const RECEPTION: &str = "205";
/// How many people a demonstration has.
pub const PEOPLE_DEFAULT: usize = 60;

/// From here on names are double: the words of a tongue are few, and of many
/// thousands everybody would have a dozen namesakes.
const DOUBLE_NAMES_FROM: usize = 200;

/// City, and its code in group names.
pub const CITIES: [(&str, &str); 5] = [
    ("Москва", "msk"),
    ("Санкт-Петербург", "spb"),
    ("Йошкар-Ола", "yola"),
    ("München", "muc"),
    ("Dún Laoghaire", "dub"),
];

/// Department, and its code in group names. The special characters are the point.
pub const DEPARTMENTS: [(&str, &str); 8] = [
    ("Бухгалтерия", "acc"),
    ("Отдел кадров", "hr"),
    ("ИТ, связь и АТС", "it"),
    ("Отдел «Ёлка»", "elka"),
    ("Склад №3 / приёмка", "wh"),
    ("Vertrieb & Großkunden", "sales"),
    ("R+D; \"Labor\"", "rnd"),
    ("Przedstawicielstwo #1 <PL>", "pl"),
];

const TITLES: [&str; 8] = [
    "Менеджер",
    "Главный бухгалтер",
    "Инженер-программист",
    "И. о. начальника отдела «Связь»",
    "Geschäftsführerin",
    "Sales Manager",
    "Kierownik działu",
    "Proje yöneticisi",
];

#[derive(Clone, Debug)]
pub struct Company {
    pub people: Vec<Person>,
    pub employees: Vec<Employee>,
}

/// A person as the directory should have them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub given: String,
    pub family: String,
    pub display: String,
    pub login: String,
    pub mail: Option<String>,
    pub mobile: Option<String>,
    pub second_mobile: Option<String>,
    pub extension: Option<String>,
    pub sip_password: Option<SecretString>,
    pub photo: Option<Photo>,
    pub title: &'static str,
    /// Indexes into [`CITIES`] and [`DEPARTMENTS`].
    pub city: usize,
    pub department: usize,
    pub account: Account,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    Enabled,
    Disabled,
    Expired,
    LockedOut,
}

/// An employee as the PBX has them before the first synchronisation.
#[derive(Clone, Debug)]
pub struct Employee {
    pub number: String,
    pub name: String,
    pub email: Option<String>,
    pub mobile: Option<String>,
    pub sip_password: SecretString,
    /// Who this is in [`Company::people`]. For tests: no product may know it.
    pub person: Option<usize>,
}

impl Company {
    pub fn new(people: usize, seed: u64) -> Self {
        let strangers = [(RECEPTION, "Reception / Ресепшен"), ("206", "Охрана"), ("207", "Домофон")];
        let strangers = strangers.into_iter().enumerate().map(|(i, (number, name))| Employee {
            number: number.to_owned(),
            name: name.to_owned(),
            email: None,
            mobile: None,
            sip_password: Dice::new(!seed, i).secret(),
            person: None,
        });
        let people: Vec<Person> = (0..people).map(|i| Person::new(seed, i)).collect();
        let known = people.iter().enumerate().filter_map(|(i, person)| Employee::of(person, seed, i));
        Company { employees: strangers.chain(known).collect(), people }
    }
}

impl Person {
    fn new(seed: u64, i: usize) -> Self {
        // The namesake is drawn with the other's name and nothing else of theirs.
        let mut name_dice = Dice::new(seed, if i == 9 { 3 } else { i });
        let tongue = Tongue::draw(&mut name_dice);
        let mut name = tongue.name(&mut name_dice, i >= DOUBLE_NAMES_FROM);
        if i == 5 {
            name.display.push_str(" 🌻");
        }
        let mut dice = Dice::new(seed ^ 0x7065_7273_6f6e, i);
        let login = format!("{}{i}", names::latin(&name.family, 14));
        let mail_case = if dice.percent(12) { str::to_uppercase } else { str::to_owned };
        let mut person = Person {
            id: dice.uuid(),
            mail: dice.percent(88).then(|| format!("{}@{MAIL_DOMAIN}", mail_case(&login))),
            mobile: dice.percent(65).then(|| tongue.mobile(&mut dice)),
            second_mobile: None,
            extension: dice.percent(60).then(|| own_number(i)),
            sip_password: dice.percent(30).then(|| dice.secret()),
            photo: dice.percent(30).then(|| Photo::new(dice.next())),
            title: dice.pick(&TITLES),
            city: dice.below(CITIES.len()),
            department: dice.below(DEPARTMENTS.len()),
            account: if dice.percent(3) { Account::Disabled } else { Account::Enabled },
            given: name.given,
            family: name.family,
            display: name.display,
            login,
        };
        person.play(i, &mut dice);
        person
    }

    /// Gives the person the part that the table at the head of this file has for them.
    fn play(&mut self, i: usize, dice: &mut Dice) {
        if i < 40 {
            self.account = Account::Enabled;
        }
        let number = match i {
            3 | 9 => return self.mail = Some(format!("{}@{MAIL_DOMAIN}", self.login)),
            11 => RECEPTION,
            13 | 31 => "250",
            17 => "12a",
            19 => "+7 (495) 123-45-67",
            21 | 22 => return self.account = Account::Disabled,
            24 => return self.account = Account::Expired,
            26 => return self.account = Account::LockedOut,
            28 => return (self.mail, self.mobile, self.extension) = (None, None, None),
            35 => {
                self.mobile = Some(TONGUES[0].mobile(dice));
                return self.second_mobile = Some(TONGUES[0].mobile(dice));
            }
            _ => return,
        };
        self.extension = Some(number.to_owned());
    }
}

impl Employee {
    /// The person as the PBX came to know them, if it did: same human, other hand.
    fn of(person: &Person, seed: u64, i: usize) -> Option<Self> {
        let mut dice = Dice::new(seed ^ 0x0070_6278, i);
        let known = match i {
            3 | 21 => true,
            5 | 9 | 11 | 13 | 17 | 19 | 22 | 24 | 28 | 31 => false,
            _ => dice.percent(45),
        };
        // Few names differ: most were typed from the same list.
        let name = match dice.below(16) {
            0 => format!("{} {}", person.given, person.family),
            1 => person.display.replace('ё', "е").replace('Ё', "Е"),
            2 => person.display.replacen(' ', "  ", 1),
            3 => person.display.to_uppercase(),
            _ => person.display.clone(),
        };
        let email = person.mail.as_deref().filter(|_| dice.percent(75)).map(str::to_lowercase);
        let mobile = person.mobile.as_deref().filter(|_| dice.percent(60)).map(digits);
        let sip_password = dice.secret();
        let employee = Employee { number: own_number(i), name, email, mobile, sip_password, person: Some(i) };
        match i {
            3 => Some(Employee {
                name: person.display.clone(),
                email: None,
                mobile: None,
                number: "208".to_owned(),
                ..employee
            }),
            _ => known.then_some(employee),
        }
    }
}

/// Three digits while they last, then five: a number never depends on how
/// many people there are. 250 stays free for the two who both ask for it.
fn own_number(i: usize) -> String {
    match i {
        0..40 => format!("{}", 210 + i),
        40..700 => format!("{}", 260 + i),
        _ => format!("{}", 10_000 + i),
    }
}

/// The way the PBX keeps a mobile: digits only.
fn digits(phone: &str) -> String {
    let digits: String = phone.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('8') {
        Some(rest) if digits.len() == 11 => format!("7{rest}"),
        _ => digits,
    }
}

/// Luck that depends on a seed and an index only.
#[derive(Debug)]
struct Dice(SeededRandom);

impl Dice {
    fn new(seed: u64, i: usize) -> Self {
        let start = SeededRandom::new(seed.rotate_left(32) ^ i as u64).next_u64();
        Dice(SeededRandom::new(start))
    }

    fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(
            (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes(),
        )
        .into_uuid()
    }

    fn secret(&mut self) -> SecretString {
        SecretString::from(format!("{:016x}", self.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_person_depends_on_seed_and_index_only() {
        let (small, large) = (Company::new(45, 7), Company::new(900, 7));
        assert_eq!(format!("{:?}", small.people), format!("{:?}", &large.people[..45]));
        assert_eq!(
            format!("{:?}", small.employees),
            format!("{:?}", &large.employees[..small.employees.len()])
        );
        assert_ne!(small.people[0].id, Company::new(1, 8).people[0].id);
    }

    #[test]
    fn everybody_is_told_apart_and_numbers_of_the_pbx_are_unique() {
        let company = Company::new(5_000, 1);
        let ids: BTreeSet<_> = company.people.iter().map(|p| p.id).collect();
        let logins: BTreeSet<_> = company.people.iter().map(|p| &p.login).collect();
        let numbers: BTreeSet<_> = company.employees.iter().map(|e| &e.number).collect();
        assert_eq!((ids.len(), logins.len(), numbers.len()), (5_000, 5_000, company.employees.len()));
    }

    #[test]
    fn in_a_large_company_namesakes_are_few() {
        let company = Company::new(50_000, 1);
        let names: BTreeSet<_> = company.people.iter().map(|person| &person.display).collect();
        assert!(names.len() > 45_000, "{} names", names.len());
    }

    #[test]
    fn the_cast_plays_its_parts() {
        for seed in 0..20 {
            let Company { people, employees } = Company::new(PEOPLE_DEFAULT, seed);
            assert_eq!(people[3].display, people[9].display);
            assert_ne!(people[3].mail, people[9].mail);
            assert_eq!(people[13].extension, people[31].extension);
            assert!(people[5].display.contains('🌻'));
            assert!(people[35].second_mobile.is_some());
            let known: BTreeSet<_> = employees.iter().filter_map(|e| e.person).collect();
            assert!(known.contains(&21) && known.contains(&3) && !known.contains(&9));
            assert!((10..45).contains(&known.len()), "{} of 60 are in the PBX", known.len());
            let taken = |number: &str| employees.iter().any(|e| e.number == number);
            assert!(taken(RECEPTION) && !taken("250"));
        }
    }

    #[test]
    fn pictures_are_valid_jpegs_and_all_different() {
        let company = Company::new(200, 1);
        let pictures: Vec<_> = company.people.iter().filter_map(|p| p.photo).map(Photo::jpeg).collect();
        assert!(pictures.len() > 30);
        assert_eq!(pictures.iter().collect::<BTreeSet<_>>().len(), pictures.len());
        for picture in &pictures[..5] {
            assert!(picture.len() > 1024);
            let image = image::load_from_memory(picture).unwrap();
            assert_eq!((image.width(), image.height()), (96, 96));
        }
    }
}
